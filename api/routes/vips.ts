import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { errorText } from '../../core/kit/errors.ts';
import type { Agent } from '../../core/model/agent.ts';
import type { Directory, Vip } from '../../core/model/directory.ts';
import { vipBackends } from '../../core/model/vip-backends.ts';
import type { Snapshot } from '../../core/state/snapshot.ts';
import { vipFaults } from '../../core/state/vip-claims.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { NotFound } from '../problem.ts';

/** Virtual IPs: the list as DC/OS's `/v1/vips` gives it (vip.md §11) with more in it, and what each node has of one. */
export function vipRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const { database, publisher } = dependencies;

  server.get('/v1/vips', async (request, reply) => {
    const vips = sorted(publisher.directory.vips.values()).map((vip) => listed(vip, publisher.directory));
    const tag = `"${createHash('sha1').update(JSON.stringify(vips)).digest('base64')}"`;
    void reply.header('etag', tag);
    return asksFor(request.headers['if-none-match'], tag) ? reply.code(304).send() : vips;
  });

  server.get('/v1/vips/faults', async () => ({ faults: labelFaults(database.snapshot) }));

  server.get<{ Params: { '*': string } }>('/v1/vips/*', async (request) => {
    const { directory } = publisher;
    const name = request.params['*'];
    const vips = sorted(directory.vips.values()).filter((vip) => isCalled(vip, name));
    const faults = labelFaults(database.snapshot).filter(({ app }) => app === `/${name.replace(/^\//, '')}`);
    if (vips.length === 0 && faults.length === 0) throw new NotFound(`There is no virtual IP '${name}'`);
    const addresses = [...new Set(vips.map(({ address }) => address))];
    return {
      revision: directory.revision,
      vips: vips.map((vip) => listed(vip, directory)),
      faults,
      nodes: await Promise.all(
        [...database.snapshot.table('agents').values()].map((agent) => asked(dependencies, agent, addresses)),
      ),
    };
  });
}

function listed(vip: Vip, directory: Directory) {
  const { address, protocol, port, names, balance = 'random', affinitySeconds, services } = vip;
  const node = (id: string): string => directory.agents.get(id)?.hostname ?? id;
  return {
    vip: `${names[0] ?? (address.includes(':') ? `[${address}]` : address)}:${port}`,
    protocol,
    backend: vipBackends(directory, services).map(({ address: ip, port, weight, ...rest }) => ({
      ip,
      port,
      weight,
      instance: rest.instanceId,
      node: node(rest.agentId),
      ...(rest.because === undefined ? {} : { because: rest.because }),
    })),
    address,
    port,
    names,
    apps: [...new Set(services.map(({ appId }) => appId))],
    balance,
    ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
  };
}

/** By a name, an address, either with a port behind it, or the id of an app that is behind it. */
function isCalled({ names, address, port, services }: Vip, text: string): boolean {
  const called = text.toLowerCase().replace(/\.$/, '');
  const own = [...names, address, `[${address}]`].map((name) => name.toLowerCase());
  if (own.some((name) => name === called || `${name}:${port}` === called)) return true;
  return services.some(({ appId }) => appId === `/${text.replace(/^\//, '')}`);
}

/** What a node has in force for these addresses; one that cannot say is not left out. */
async function asked(
  { questions, presence }: ApiDependencies,
  agent: Agent,
  addresses: readonly string[],
): Promise<object> {
  const seen = presence.agents.get(agent.id);
  const node = { node: agent.hostname, revision: seen?.acks['vip'] ?? 0 };
  if (!seen?.connected) return { ...node, problem: 'it is not connected' };
  try {
    return { ...node, status: await questions.ask(agent.id, { kind: 'vips', addresses }) };
  } catch (error) {
    return { ...node, problem: errorText(error) };
  }
}

/** Labels that do not declare what their authors may expect, by app. */
function labelFaults(snapshot: Snapshot) {
  return [...snapshot.table('apps').values()].flatMap((app) =>
    vipFaults(app).map((fault) => ({ app: app.id, ...fault })),
  );
}

function sorted(vips: Iterable<Vip>): readonly Vip[] {
  return [...vips].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function asksFor(header: string | undefined, tag: string): boolean {
  return (header ?? '')
    .split(',')
    .some((one) => one.trim().replace(/^W\//, '') === tag || one.trim() === '*');
}
