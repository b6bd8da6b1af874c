import t from 'tap';
import { startMaster, type TestMaster } from './testing/master.ts';

type Group = { id: string; version: string; apps: { id: string; instances: number }[]; groups: Group[] };
type Result = { deploymentId: string; version: string };
type Api = TestMaster['api'];

const run = { cmd: 'sleep 100', cpus: 0.1, mem: 16 };
const app = (id: string, fields: object = {}) => ({ id, ...run, ...fields });

/** A group in short: `/shop[cart]{data[pg]}`. */
function outline({ id, apps, groups }: Group): string {
  const names = apps.map((each) => each.id.split('/').at(-1)).sort();
  const inner = groups.map(outline);
  return `${id}${names.length > 0 ? `[${names.join()}]` : ''}${inner.length > 0 ? `{${inner.join()}}` : ''}`;
}

const outlineOf = async (api: Api, path = '/v2/groups') => outline(await api.must<Group>('GET', path));

t.test('a group is created with everything in it, dependencies first', async (t) => {
  const { api, url, agent } = await startMaster(t);
  await agent('h1');
  t.equal(await outlineOf(api), '/');

  const shop = {
    id: '/shop',
    groups: [{ id: 'data', apps: [app('pg')] }],
    apps: [app('cart', { dependencies: ['data'] })],
  };
  const answer = await api.call('POST', '/v2/groups', { body: shop });
  t.equal(answer.status, 201);
  t.equal(answer.headers['location'], `${url}/v2/groups/shop`);
  const { deploymentId, version } = answer.body as Result;
  t.equal(answer.headers['marathon-deployment-id'], deploymentId);
  t.match(await api.must('GET', '/v2/deployments'), [
    {
      steps: [
        { actions: [{ action: 'StartApplication' }, { action: 'StartApplication' }] },
        { actions: [{ action: 'ScaleApplication', app: '/shop/data/pg' }] },
        { actions: [{ action: 'ScaleApplication', app: '/shop/cart' }] },
      ],
    },
  ]);
  await api.settled();
  t.equal(await outlineOf(api), '/{/shop[cart]{/shop/data[pg]}}');
  const group = await api.must<Group>('GET', '/v2/groups/shop/');
  t.match(group, { id: '/shop', version, dependencies: [], pods: [], groups: [{ version }] });
  t.match(group.apps, [{ id: '/shop/cart', dependencies: ['/shop/data'] }]);

  await t.test('what is there is not created again', async (t) => {
    const again = await api.call('POST', '/v2/groups', { body: { id: 'shop' } });
    t.equal(again.status, 409);
    t.same(again.body, { message: 'Group /shop is already created. Use PUT to change this group.' });
    const taken = await api.call('POST', '/v2/groups/shop', { body: { id: 'cart' } });
    t.equal(taken.status, 409);
    t.same(taken.body, { message: 'An app with the path /shop/cart already exists.' });
  });

  await t.test('embeds choose the sections and what is said of apps', async (t) => {
    const keys = async (query: string) =>
      Object.keys(await api.must<object>('GET', `/v2/groups/shop${query}`));
    t.same((await keys('')).sort(), ['apps', 'dependencies', 'groups', 'id', 'pods', 'version']);
    t.same((await keys('?embed=group.apps')).sort(), ['apps', 'dependencies', 'id', 'version']);
    t.same((await keys('?embed=group.apps.tasks')).sort(), ['dependencies', 'id', 'version']);
    t.notOk(Object.hasOwn(group.apps[0] ?? {}, 'tasksRunning'), 'apps come without counts');
    const query = '?embed=group.apps&embed=group.apps.counts&embed=group.apps.tasks';
    t.match(await api.must('GET', `/v2/groups/shop${query}`), {
      apps: [{ tasksRunning: 1, tasks: [{ state: 'TASK_RUNNING' }], deployments: [] }],
    });
  });

  await t.test('sub-resources', async (t) => {
    const ids = async (path: string) =>
      (await api.must<{ id: string }[]>('GET', path)).map((each) => each.id);
    t.same((await ids('/v2/groups/apps')).sort(), ['/shop/cart', '/shop/data/pg']);
    t.same(await ids('/v2/groups/shop/data/apps'), ['/shop/data/pg']);
    t.same(await api.must('GET', '/v2/groups/versions'), [version]);
    t.match(await api.must('GET', `/v2/groups/shop/versions/${version}`), { id: '/shop', version });
    for (const path of ['/v2/groups/no', '/v2/groups/no/apps', '/v2/groups/no/versions']) {
      const missing = await api.call('GET', path);
      t.equal(missing.status, 404);
      t.same(missing.body, { message: "Group '/no' does not exist" });
    }
    const never = await api.call('GET', '/v2/groups/shop/versions/2001-01-01T00:00:00.000Z');
    t.same(never.body, { message: "Group '/shop' does not exist in version 2001-01-01T00:00:00.000Z" });
  });
});

t.test('a list that is given is the whole list, one that is left out stays', async (t) => {
  const { api } = await startMaster(t);
  const put = (path: string, body: object) => api.must<Result>('PUT', `${path}?force=true`, body);
  await put('/v2/groups/a', {
    apps: [app('x'), app('y')],
    groups: [{ id: 'in', apps: [app('z')] }, { id: 'e' }],
  });
  t.equal(await outlineOf(api), '/{/a[x,y]{/a/e,/a/in[z]}}');

  await put('/v2/groups/a', { apps: [app('x', { instances: 4 }), app('new')] });
  t.equal(await outlineOf(api), '/{/a[new,x]{/a/e,/a/in[z]}}');
  t.match(await api.must('GET', '/v2/apps/a/x'), { app: { instances: 4 } });

  await put('/v2/groups/a', { groups: [{ id: 'in' }] });
  t.equal(await outlineOf(api), '/{/a[new,x]{/a/in[z]}}');
  await put('/v2/groups', {
    groups: [
      { id: 'b', apps: [app('q')] },
      { id: 'a', apps: [] },
    ],
  });
  t.equal(await outlineOf(api), '/{/a{/a/in[z]},/b[q]}');
  await put('/v2/groups/a', { groups: [] });
  t.equal(await outlineOf(api), '/{/a,/b[q]}', 'an empty group stays');
  await put('/v2/groups/b/deep/er', {});
  t.equal(await outlineOf(api), '/{/a,/b[q]{/b/deep{/b/deep/er}}}');

  await api.must('DELETE', '/v2/apps/b/q');
  t.equal(await outlineOf(api), '/{/a,/b{/b/deep{/b/deep/er}}}', 'without its app a group stays');
  await api.must('POST', '/v2/apps', app('/a'));
  t.equal(await outlineOf(api), '/[a]{/b{/b/deep{/b/deep/er}}}', 'an app replaces an empty group');
  await api.must('DELETE', '/v2/groups/b');
  t.equal(await outlineOf(api), '/[a]');
  t.equal((await api.call('DELETE', '/v2/groups/b')).status, 404);
  await api.must('DELETE', '/v2/groups?force=true');
  t.equal(await outlineOf(api), '/');
  t.same(await api.must('GET', '/v2/apps'), { apps: [] });
});

t.test('a group is scaled as a whole', async (t) => {
  const { api } = await startMaster(t);
  await api.must('PUT', '/v2/groups/s', {
    apps: [app('x', { instances: 3 })],
    groups: [{ id: 'in', apps: [app('y')] }],
  });
  const instances = async () =>
    (await api.must<{ id: string; instances: number }[]>('GET', '/v2/groups/s/apps')).map(
      (each) => each.instances,
    );
  await api.must('PUT', '/v2/groups/s?force=true', { scaleBy: 1.5 });
  t.same(await instances(), [5, 2]);
  await api.must('PUT', '/v2/groups/s?force=true', { scaleBy: 0 });
  t.same(await instances(), [0, 0]);
  const mixed = await api.call('PUT', '/v2/groups/s?force=true', { body: { scaleBy: 2, apps: [] } });
  t.equal(mixed.status, 422);
  t.match(mixed.text, /not allowed in conjunction with other properties/);
  t.equal((await api.call('PUT', '/v2/groups/no', { body: { scaleBy: 2 } })).status, 404);
});

t.test('a group goes back to how it was, and nothing else does', async (t) => {
  const { api } = await startMaster(t);
  const put = (path: string, body: object) => api.must<Result>('PUT', `${path}?force=true`, body);
  const first = await put('/v2/groups/a', { apps: [app('x'), app('y')], groups: [{ id: 'e' }] });
  await put('/v2/groups/a', { apps: [app('x', { cpus: 0.7 }), app('late')], groups: [] });
  await put('/v2/groups/b', { apps: [app('other')] });
  await put('/v2/apps/a/x', { instances: 9 });
  t.equal(await outlineOf(api, `/v2/groups/a/versions/${first.version}`), '/a[x,y]{/a/e}');

  const back = await put('/v2/groups/a', { version: first.version });
  t.equal(await outlineOf(api), '/{/a[x,y]{/a/e},/b[other]}');
  t.match(await api.must('GET', '/v2/apps/a/x'), { app: { cpus: 0.1, instances: 1, version: back.version } });
  t.equal((await api.must<string[]>('GET', '/v2/groups/versions')).length, 5);

  const never = await api.call('PUT', '/v2/groups/a', { body: { version: '2001-01-01T00:00:00.000Z' } });
  t.equal(never.status, 422);
  t.same(never.body, { message: 'Group /a not available in version 2001-01-01T00:00:00.000Z' });
});

t.test('a group that cannot be is refused and changes nothing', async (t) => {
  const { api } = await startMaster(t);
  await api.must('PUT', '/v2/groups/a', { apps: [app('x')], groups: [{ id: 'in', apps: [app('y')] }] });
  const before = await api.state();
  const same = 'Groups and Applications may not have the same identifier.';
  const refused: [body: unknown, path: string, error: RegExp | string, at?: string][] = [
    [{ groups: [{ id: 'x' }] }, '/', same],
    [{ groups: [{ id: 'x', apps: [app('z')] }] }, '/', same],
    [{ apps: [app('x'), app('in')] }, '/', same],
    [{ apps: [app('x'), app('/b/z')] }, '/apps(1)/id', "Identifier is not child of '/a'"],
    [{ groups: [{ id: '/b' }] }, '/groups(0)/id', "Identifier is not child of '/a'"],
    [{ id: '/b' }, '/id', "Identifier is not child of '/a'"],
    [{ id: 'B' }, '/id', /must fully match/],
    [{ apps: [{ id: 'x' }] }, '/apps(0)', /^AppDefinition must/],
    [{ apps: [app('x', { constraints: [['a', 'UNIQUE', 'b']] })] }, '/apps(0)/constraints(0)', /UNIQUE/],
    [{ groups: [{ apps: [] }] }, '/groups(0)/id', 'error.path.missing'],
    [{ groups: [{ id: 'n', apps: [{ id: 5 }] }] }, '/groups(0)/apps(0)/id', 'error.expected.jsstring'],
    [{ apps: 5 }, '/apps', 'error.expected.jsarray'],
    [5, '/', 'error.expected.jsobject'],
    [{ dependencies: ['B'] }, '/dependencies(0)', /must fully match/],
    [{ dependencies: ['/b', '../b'] }, '/dependencies', 'must not contain duplicates'],
    [{ dependencies: ['in'] }, '/', 'Dependency graph has cyclic dependencies.'],
    [{ groups: [{ id: 'in', enforceRole: true }] }, '/groups(0)/enforceRole', /top-level/],
    [
      {
        apps: [app('p', { dependencies: ['in'] })],
        groups: [{ id: 'in', apps: [app('y', { dependencies: ['/a/p'] })] }],
      },
      '/',
      'Dependency graph has cyclic dependencies.',
    ],
  ];
  for (const [body, path, error] of refused) {
    const answer = await api.call('PUT', '/v2/groups/a?force=true', { body });
    t.equal(answer.status, 422, JSON.stringify(body));
    t.match(answer.body, { details: [{ path, errors: [error] }] });
  }
  for (const [method, path] of [
    ['POST', '/v2/groups/%00'],
    ['PUT', '/v2/groups/a/B'],
  ] as const)
    t.equal((await api.call(method, path, { body: {} })).status, 422, path);
  const nested = await api.call('POST', '/v2/apps', { body: app('/a/x/below') });
  t.equal(nested.status, 422, 'an app is no group');
  t.equal(
    (await api.call('POST', '/v2/apps', { body: app('/a') })).status,
    422,
    'a group with something in it is no app',
  );
  t.equal((await api.call('PUT', '/v2/groups/a?dryRun=true', { body: { apps: 5 } })).status, 422);
  t.equal(
    (await api.call('PUT', '/v2/groups/a', { body: { apps: [] } })).status,
    409,
    'a deployment holds its apps',
  );
  t.equal(await api.state(), before);
});
