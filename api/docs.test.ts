import { readdir, readFile } from 'node:fs/promises';
import fastify from 'fastify';
import t from 'tap';
import { readPool } from '../core/model/edgelb/read-pool.ts';
import { appOperations } from './openapi/apps.ts';
import { operations } from './openapi/document.ts';
import { schemas } from './openapi/schemas.ts';
import { startServer } from './testing/server.ts';

type Described = { summary: string; parameters?: { name: string; in: string }[] };
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, object> };
};

t.test('the description has every route, with its parameters and bodies', async (t) => {
  const { api } = await startServer(t);
  const document = await api.must<Document>('GET', '/docs');
  t.match(document.openapi, /^3\.1\./);
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  const wanted = operations.map(({ method, path }) => `${method} ${path}`);
  t.same(
    wanted.filter((operation) => !described.includes(operation)),
    [],
    'nothing is described that is not there',
  );
  const bare = described.filter((operation) => !wanted.includes(operation));
  t.same(
    bare.filter((operation) => !/ \/(v1|service)\//.test(operation)),
    [],
    'nothing of Marathon’s is there undescribed',
  );
  t.equal(new Set(wanted).size, wanted.length, 'nothing is described twice');

  t.same(
    document.paths['/v2/apps/{app}/tasks/{task}']?.['delete']?.parameters?.map(({ name }) => name),
    [...['app', 'task', 'scale', 'force', 'wipe']],
  );
  const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
  for (const [, name = ''] of references) t.ok(document.components.schemas[name], name);
});

t.test('browsers get a page of it', async (t) => {
  const { api } = await startServer(t);
  const page = await api.call('GET', '/docs', { headers: { accept: 'text/html,*/*;q=0.8' } });
  t.match(page.headers['content-type'], /^text\/html/);
  for (const { path } of appOperations) t.ok(page.text.includes(`<code>${path}</code>`), path);
  t.match((await api.call('GET', '/ui/')).text, /href="\/docs"/);
  t.match(await api.must('GET', '/v2/schemas/app'), { type: 'object', required: ['id'] });
  t.equal((await api.call('GET', '/v2/schemas/pod')).status, 404);
});

t.test('the examples are as the description says, and what is wrong is not', async (t) => {
  const server = fastify({ ajv: { customOptions: { strict: false, coerceTypes: false } } });
  for (const [name, schema] of Object.entries(schemas)) {
    const document = { components: { schemas }, ...schema };
    server.post(`/${name}`, { schema: { body: { $id: name, ...document } } }, async () => 'right');
  }
  const status = async (name: string, body: object) =>
    (await server.inject({ method: 'POST', url: `/${name}`, payload: body })).statusCode;
  const folder = new URL('../examples/', import.meta.url);
  for (const file of await readdir(folder)) {
    const body: object = JSON.parse(await readFile(new URL(file, folder), 'utf8'));
    if (Object.hasOwn(body, 'haproxy')) {
      t.match(readPool(body), { kind: 'pool', notes: [] }, file);
      continue;
    }
    const name = Object.hasOwn(body, 'containers') ? 'Pod' : Object.hasOwn(body, 'apps') ? 'Group' : 'App';
    t.equal(await status(name, body), 200, file);
  }
  t.equal(
    await status('App', { id: '/a', env: { A: { secret: 's' } }, unreachableStrategy: 'disabled' }),
    200,
  );
  t.equal(await status('App', { cmd: 'x' }), 400, 'no id');
  t.equal(await status('App', { id: '/a', instances: -1 }), 400);
  t.equal(await status('Group', { groups: [{ id: 'a', apps: [{ id: '/x' }], groups: [{ id: 'b' }] }] }), 200);
  t.equal(await status('Group', { groups: [{ id: 'a', apps: [{ id: '/x', cpus: 0 }] }] }), 400);
  await server.close();
});
