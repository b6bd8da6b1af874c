import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ApiDependencies } from '../dependencies.ts';
import { inForce } from '../in-force.ts';
import { withoutKeys } from '../pool-keys.ts';
import { poolConfigText } from '../pool-text.ts';
import { backendViews, frontendViews } from '../pool-views.ts';
import { type PoolResult, Pools, type ShownPool } from '../pools.ts';
import { NotFound, Problem } from '../problem.ts';
import { acceptYaml } from '../yaml.ts';

type Named = { Params: { name: string }; Body: unknown };

/** Edge-LB pools (`weir pool`), JSON or YAML. */
export function poolRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const pools = new Pools(dependencies);
  const shown = (pool: ShownPool) => ({
    frontends: frontendViews(dependencies, pool),
    backends: backendViews(dependencies, pool),
    notes: pool.notes,
  });

  server.register(async (scope) => {
    acceptYaml(scope);

    scope.get('/v1/pools', async () => ({
      ...inForce(dependencies),
      pools: pools.all.map((pool) => ({
        name: pool.record.name,
        namespace: pool.pool?.namespace,
        ...shown(pool),
      })),
    }));

    scope.get<Named>('/v1/pools/:name', async ({ params: { name } }) => {
      const pool = pools.get(name) ?? unknown(name);
      return {
        ...inForce(dependencies),
        pool: pool.pool ?? withoutKeys(pool.record.definition),
        ...shown(pool),
        config: poolConfigText(dependencies, pool),
      };
    });

    scope.post<{ Body: unknown }>('/v1/pools', async (request, reply) =>
      answer(reply, '', await pools.create(asObject(request.body))),
    );

    scope.put<Named>('/v1/pools/:name', async ({ params: { name }, body }, reply) =>
      answer(reply, name, await pools.replace(name, asObject(body), { orNew: true })),
    );

    scope.get<Named>('/v1/pools/:name/template', async ({ params: { name } }) => {
      const { record } = pools.get(name) ?? unknown(name);
      return { text: record.lbTemplate ?? '', note: textNote };
    });

    scope.put<Named>('/v1/pools/:name/template', async ({ params: { name }, body }) => {
      const { text } = asObject(body) as { text?: unknown };
      if (typeof text !== 'string') throw new Problem(400, { message: 'text must be a text' });
      if (!(await pools.setTemplate(name, text))) unknown(name);
      return { text, note: textNote };
    });

    scope.delete<Named>('/v1/pools/:name/template', async ({ params: { name } }, reply) => {
      if (!(await pools.setTemplate(name, undefined))) unknown(name);
      return reply.code(204).send();
    });

    scope.delete<Named>('/v1/pools/:name', async ({ params: { name } }, reply) => {
      if (!(await pools.remove(name))) unknown(name);
      return reply.code(204).send();
    });
  });
}

const textNote = 'text for HAProxy is kept and shown, not carried out';

function answer(reply: FastifyReply, name: string, result: PoolResult) {
  switch (result.kind) {
    case 'stored':
      return reply.code(result.isNew ? 201 : 200).send({ ...result.pool, notes: result.notes });
    case 'invalid': {
      const details = result.faults.map(({ path, error }) => ({ path, errors: [error] }));
      throw new Problem(422, { message: 'Object is not valid', details });
    }
    case 'conflict':
      throw new Problem(409, { message: result.message });
    case 'absent':
      return unknown(name);
  }
}

function unknown(name: string): never {
  throw new NotFound(`Pool '${name}' does not exist`);
}

function asObject(body: unknown): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new Problem(400, { message: 'Please specify data in JSON or YAML format' });
}
