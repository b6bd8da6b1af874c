import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { errorText } from '../../core/kit/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { withoutKeys } from '../pool-keys.ts';
import { poolMetadata } from '../pool-metadata.ts';
import { poolConfigText } from '../pool-text.ts';
import { type PoolResult, Pools, type ShownPool } from '../pools.ts';
import { Problem } from '../problem.ts';
import { acceptYaml } from '../yaml.ts';
import { poolTemplateRoutes } from './pool-templates.ts';

type Named = { Params: { name: string }; Body: unknown };

/** What `dcos edgelb` and others of Edge-LB's clients speak (ingress.md A10). */
export function edgelbRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const pools = new Pools(dependencies);
  const named = (name: string): ShownPool => pools.get(name) ?? unknown(name);
  const all = async () => pools.all.map(({ pool, record }) => pool ?? withoutKeys(record.definition));

  server.register(
    async (scope) => {
      acceptYaml(scope);
      scope.setErrorHandler(async (error: FastifyError, _request, reply) => {
        const { code, message } = plainly(error);
        return reply.code(code).send({ code, message });
      });

      scope.get('/ping', async (_request, reply) => reply.type('text/plain').send('pong'));
      scope.get('/version', async () => ({ version: '1.7.0' }));
      for (const path of ['/config', '/v2/config']) scope.get(path, async () => ({ pools: await all() }));

      scope.get('/v2/pools', all);
      scope.post<{ Body: unknown }>('/v2/pools', async ({ body }, reply) =>
        answer(reply, await pools.create(body)),
      );
      scope.get<Named>('/v2/pools/:name', async ({ params: { name } }) => {
        const { pool, record } = named(name);
        return pool ?? withoutKeys(record.definition);
      });
      scope.put<Named>('/v2/pools/:name', async ({ params: { name }, body }, reply) => {
        const result = await pools.replace(name, body, { orNew: false });
        return result.kind === 'absent' ? unknown(name) : answer(reply, result);
      });
      scope.delete<Named>('/v2/pools/:name', async ({ params: { name } }, reply) => {
        if (!(await pools.remove(name))) unknown(name);
        return reply.code(204).send();
      });

      scope.get<Named>('/v2/pools/:name/metadata', async ({ params: { name } }) =>
        poolMetadata(dependencies, named(name)),
      );
      scope.get<Named>('/v2/pools/:name/lbconfig', async ({ params: { name } }, reply) =>
        reply.type('text/plain').send(poolConfigText(dependencies, named(name))),
      );
      scope.get('/v2/lbtemplate', async (_request, reply) => reply.type('text/plain').send(defaultTemplate));
      scope.get<Named>('/v2/pools/:name/lbtemplate', async ({ params: { name } }, reply) =>
        reply.type('text/plain').send(named(name).record.lbTemplate ?? defaultTemplate),
      );
      scope.put<Named>('/v2/pools/:name/lbtemplate', async ({ params: { name }, body }, reply) => {
        if (!(await pools.setTemplate(name, String(body)))) unknown(name);
        return reply.header('warning', templateWarning).type('text/plain').send(String(body));
      });
      scope.delete<Named>('/v2/pools/:name/lbtemplate', async ({ params: { name } }, reply) => {
        if (!(await pools.setTemplate(name, undefined))) unknown(name);
        return reply.code(204).send();
      });
      poolTemplateRoutes(scope, dependencies);
      // Else the app of this name would be asked.
      scope.all('/*', async ({ method, url }) => {
        throw new Problem(404, { message: `${method} ${url.split('?')[0]} was not found` });
      });
    },
    { prefix: '/service/edgelb' },
  );
}

const defaultTemplate =
  '# There is no text template: pools are rules of the edge itself, which change without a reload.\n';
const templateWarning = '299 weir "kept and shown, but text for HAProxy is not carried out"';

function answer(reply: FastifyReply, result: PoolResult) {
  switch (result.kind) {
    case 'stored':
      return reply.headers(warningsOf(result.notes)).code(200).send(result.pool);
    case 'invalid':
      throw new Problem(400, { message: messageOf(result.faults) });
    case 'conflict':
      throw new Problem(409, { message: result.message });
    case 'absent':
      throw new Problem(404, { message: 'pool not found' });
  }
}

type Note = { readonly path: string; readonly error: string };

/** One value for each thing that does nothing, as with apps; a header holds no more than a few. */
function warningsOf(notes: readonly Note[]): { readonly warning?: string[] } {
  if (notes.length === 0) return {};
  const told = notes.slice(0, 20).map(({ path, error }) => {
    const text = `${path} ${error}`.replace(/[^ !#-[\]-~]/g, '').slice(0, 200);
    return `299 weir "${text}"`;
  });
  return { warning: told };
}

/** A type's fault is told with its place; a rule's names its object itself. */
function messageOf(faults: readonly Note[]): string {
  return faults
    .map(({ path, error }) => (error.startsWith('must be ') ? `${path} ${error}` : error))
    .join('; ');
}

function plainly(error: FastifyError): { readonly code: number; readonly message: string } {
  if (error instanceof Problem) return { code: error.status, message: error.body.message };
  const code = error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' ? 415 : (error.statusCode ?? 500);
  return { code, message: errorText(error) };
}

function unknown(name: string): never {
  throw new Problem(404, { message: `pool '${name}' not found` });
}
