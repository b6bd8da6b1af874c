import type { FastifyInstance } from 'fastify';
import type { Network } from '../../core/model/network.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { NotFound, Problem } from '../problem.ts';

/** Container networks: listed, made, and removed while nobody uses them. */
export function networkRoutes(server: FastifyInstance, { database, networks }: ApiDependencies): void {
  server.get('/v1/networks', async () => ({
    networks: [...database.snapshot.table('networks').values()].map((network) => ({
      ...network,
      leases: [...database.snapshot.table('leases').values()].filter(
        (lease) => lease.network === network.name,
      ),
    })),
  }));

  server.post<{ Body: unknown }>('/v1/networks', async (request, reply) => {
    const network = parseNetwork(request.body);
    if (database.snapshot.table('networks').has(network.name)) {
      throw new Problem(409, { message: `A network with name [${network.name}] already exists.` });
    }
    const faults = networks.faults(network, [...database.snapshot.table('networks').values()]);
    if (faults.length > 0)
      throw new Problem(422, { message: 'Object is not valid', details: [{ path: '/', errors: faults }] });
    await database.commit([{ kind: 'put', table: 'networks', key: network.name, value: network, expect: 0 }]);
    return reply.code(201).send(network);
  });

  server.delete<{ Params: { name: string } }>('/v1/networks/:name', async (request, reply) => {
    const { name } = request.params;
    if (!database.snapshot.table('networks').has(name))
      throw new NotFound(`Network '${name}' does not exist`);
    const users = [...database.snapshot.table('apps').values()].filter((app) =>
      app.networks.some((network) => network.mode === 'container' && network.name === name),
    );
    if (users.length > 0) {
      throw new Problem(409, {
        message: `Network ${name} is used by ${users.map((app) => app.id).join(', ')}`,
      });
    }
    const leases = [...database.snapshot.table('leases')].filter(([, lease]) => lease.network === name);
    await database.commit([
      { kind: 'delete', table: 'networks', key: name },
      ...leases.map(([key]) => ({ kind: 'delete' as const, table: 'leases' as const, key })),
    ]);
    return reply.code(204).send();
  });
}

const defaults = { agentPrefix: 24, backend: 'vxlan', vni: 4096, port: 4789, egress: 'none' as const };

function parseNetwork(body: unknown): Network {
  if (typeof body !== 'object' || body === null)
    throw new Problem(400, { message: 'Please specify data in JSON format' });
  const given = { ...defaults, ...body } as Record<string, unknown>;
  const wrong = Object.entries({
    name: 'string',
    cidr: 'string',
    agentPrefix: 'number',
    backend: 'string',
    vni: 'number',
    port: 'number',
  })
    .filter(([field, type]) => typeof given[field] !== type)
    .map(([field, type]) => ({
      path: `/${field}`,
      errors: [given[field] === undefined ? 'error.path.missing' : `error.expected.js${type}`],
    }));
  if (given['mtu'] !== undefined && typeof given['mtu'] !== 'number')
    wrong.push({ path: '/mtu', errors: ['error.expected.jsnumber'] });
  if (given['plugins'] !== undefined && !Array.isArray(given['plugins']))
    wrong.push({ path: '/plugins', errors: ['error.expected.jsarray'] });
  if (given['egress'] !== 'none' && given['egress'] !== 'masquerade') {
    wrong.push({ path: '/egress', errors: ['error.unknown.enum.literal'] });
  }
  if (wrong.length > 0) throw new Problem(422, { message: 'Invalid JSON', details: wrong });
  const { name, cidr, agentPrefix, backend, vni, port, mtu, egress, plugins } = given as Network;
  return {
    name,
    cidr,
    agentPrefix,
    backend,
    vni,
    port,
    egress,
    ...(mtu === undefined ? {} : { mtu }),
    ...(plugins === undefined ? {} : { plugins }),
  };
}
