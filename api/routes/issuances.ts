import type { FastifyInstance } from 'fastify';
import type { Authority, Issuance } from '../../core/model/issuance.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { issuanceView } from '../issuance-view.ts';
import { NotFound, Problem } from '../problem.ts';
import { readAuthority, readIssuance } from '../read-issuance.ts';

type Named = { Params: { name: string } };

/** Certificates that authorities issue (`weir cert issue`), and which authorities there are. */
export function issuanceRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const { database, clock } = dependencies;
  const { snapshot } = database;

  server.post<{ Body: unknown }>('/v1/certificates/issue', async (request, reply) => {
    const body = asObject(request.body);
    const read = readIssuance(body, clock.now());
    if (read.kind === 'faults') throw notValid(read.faults);
    const { name, authority } = read.issuance;
    if (!snapshot.table('authorities').has(authority))
      throw notValid([
        {
          path: '/authority',
          errors: [`there is no authority '${authority}': name one with weir cert authority`],
        },
      ]);
    const known = snapshot.table('issuances').get(name);
    if (known === undefined && snapshot.table('certificates').has(name))
      throw new Problem(409, {
        message: `Certificate '${name}' was given by an operator: remove it first, or give this one a name of its own`,
      });
    const isWork =
      known === undefined || body['renew'] === true || !isSame(known, read.issuance) || hasFailed(name);
    if (isWork) await database.commit([{ kind: 'put', table: 'issuances', key: name, value: read.issuance }]);
    return reply.code(known === undefined ? 201 : 200).send(issuanceView(snapshot, name));
  });

  server.get('/v1/authorities', async () => ({
    authorities: [...snapshot.table('authorities').values()].map((one) => authorityView(dependencies, one)),
  }));

  server.put<Named & { Body: unknown }>(
    '/v1/authorities/:name',
    async ({ params: { name }, body }, reply) => {
      const read = readAuthority({ ...asObject(body), name });
      if (read.kind === 'faults') throw notValid(read.faults);
      const status = snapshot.table('authorities').has(name) ? 200 : 201;
      await database.commit([{ kind: 'put', table: 'authorities', key: name, value: read.authority }]);
      return reply.code(status).send(authorityView(dependencies, read.authority));
    },
  );

  server.delete<Named>('/v1/authorities/:name', async ({ params: { name } }, reply) => {
    if (!snapshot.table('authorities').has(name)) throw new NotFound(`Authority '${name}' does not exist`);
    const users = [...snapshot.table('issuances').values()].filter(({ authority }) => authority === name);
    if (users.length > 0)
      throw new Problem(409, {
        message: `Authority '${name}' renews ${users.map((one) => one.name).join(', ')}: remove them first`,
      });
    await database.commit([
      { kind: 'delete', table: 'authorities', key: name },
      { kind: 'delete', table: 'accounts', key: name },
    ]);
    return reply.code(204).send();
  });

  function hasFailed(name: string): boolean {
    return snapshot.table('orders').get(name)?.lastFailure !== undefined;
  }
}

/** Keys stay inside. */
function authorityView({ database }: ApiDependencies, { externalAccount, ...authority }: Authority) {
  const account = database.snapshot.table('accounts').get(authority.name)?.url;
  return {
    ...authority,
    ...(externalAccount && { externalAccount: { keyId: externalAccount.keyId } }),
    ...(account === undefined ? {} : { account }),
  };
}

/** But for when it was asked for. */
function isSame(a: Issuance, b: Issuance): boolean {
  return JSON.stringify({ ...a, requestedAt: 0 }) === JSON.stringify({ ...b, requestedAt: 0 });
}

function notValid(
  details: readonly { readonly path: string; readonly errors: readonly string[] }[],
): Problem {
  return new Problem(422, { message: 'Object is not valid', details });
}

function asObject(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw new Problem(400, { message: 'Please specify data in JSON format' });
}
