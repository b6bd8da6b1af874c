import type { FastifyInstance } from 'fastify';
import { readTemplate } from '../../core/model/edgelb/read-pool.ts';
import { defaultTemplate, poolsByLabels } from '../../core/state/pools/label-pools.ts';
import type { PoolRecord } from '../../core/state/tables.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { Problem } from '../problem.ts';

type Named = { Params: { name: string }; Body: unknown };

/** Templates of the pools that labels of apps make (ingress.md A10, A11). */
export function poolTemplateRoutes(scope: FastifyInstance, { database }: ApiDependencies): void {
  const records = () =>
    [...database.snapshot.table('pools').values()].filter(({ kind }) => kind === 'template');
  const kept = (name: string) => records().find((record) => record.name === name);
  /** The default one is there without being declared (ingress.md A11). */
  const stored = (name: string) => kept(name) ?? (name === defaultTemplate ? undeclared : unknown(name));
  const put = (record: PoolRecord) =>
    database.commit([{ kind: 'put', table: 'pools', key: `template:${record.name}`, value: record }]);

  scope.get('/v2/poolTemplates', async () => {
    const declared = records().map(({ definition }) => definition);
    return kept(defaultTemplate) === undefined ? [undeclared.definition, ...declared] : declared;
  });

  scope.post<{ Body: unknown }>('/v2/poolTemplates', async ({ body: definition }) => {
    const name = nameIn(definition);
    if (kept(name) !== undefined)
      throw new Problem(409, { message: `pool template '${name}' exists already` });
    await put({ kind: 'template', name, definition, ports: {} });
    return definition;
  });

  scope.get<Named>('/v2/poolTemplates/:name', async ({ params: { name } }) => stored(name).definition);

  scope.put<Named & { Body: unknown }>('/v2/poolTemplates/:name', async ({ params: { name }, body }) => {
    const before = stored(name);
    const definition = named(body, name);
    await put({ ...before, definition });
    return definition;
  });

  scope.delete<Named>('/v2/poolTemplates/:name', async ({ params: { name } }, reply) => {
    if (kept(name) === undefined) unknown(name);
    await database.commit([{ kind: 'delete', table: 'pools', key: `template:${name}` }]);
    return reply.code(204).send();
  });

  scope.get<Named>('/v2/poolTemplates/:name/status', async ({ params: { name } }) => {
    stored(name);
    const made = poolsByLabels(database.snapshot, [name]).get(name);
    const faults = made?.faults ?? [];
    const status = faults.length > 0 ? 'RENDER_ERR' : made?.definition === undefined ? 'NO_TASKS' : 'OK';
    const told = { status, message: faults.map(({ app, reason }) => `${app}: ${reason}`).join('; ') };
    const statuses = Object.fromEntries(
      faults.map(({ app, reason }) => [app, { status: 'RENDER_ERR', message: reason, uris: [] }]),
    );
    // By its name too, as Edge-LB's own answer has it.
    return { [name]: { ...told, statuses }, name, ...told };
  });

  scope.get<Named>('/v2/poolTemplates/:name/template', async ({ params: { name } }, reply) =>
    reply.type('text/plain').send(stored(name).lbTemplate ?? ''),
  );
  scope.put<Named>('/v2/poolTemplates/:name/template', async ({ params: { name }, body }, reply) => {
    await put({ ...stored(name), lbTemplate: String(body) });
    return reply.type('text/plain').send(String(body));
  });
  scope.delete<Named>('/v2/poolTemplates/:name/template', async ({ params: { name } }, reply) => {
    const { lbTemplate: _, ...rest } = stored(name);
    await put(rest);
    return reply.code(204).send();
  });
}

function nameIn(definition: unknown): string {
  const read = readTemplate(definition);
  if (read.kind === 'template') return read.name;
  throw new Problem(400, { message: read.faults.map(({ path, error }) => `${path} ${error}`).join('; ') });
}

/** The path says it where the body does not. */
function named(body: unknown, name: string): object {
  const definition = typeof body === 'object' && body !== null ? { name, ...body } : { name };
  const given = nameIn(definition);
  if (given === name) return definition;
  throw new Problem(400, { message: `pool template '${name}' cannot be renamed to '${given}'` });
}

const undeclared: PoolRecord = {
  ...{ kind: 'template', name: defaultTemplate, definition: { name: defaultTemplate }, ports: {} },
};

function unknown(name: string): never {
  throw new Problem(404, { message: `pool template '${name}' not found` });
}
