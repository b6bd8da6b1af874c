import t from 'tap';
import { startMaster, type TestMaster } from './testing/master.ts';

type Action = { action: string; app: string };
type Steps = { steps: { actions: Action[] }[] };
type Result = { deploymentId: string; version: string };

const run = { cmd: 'sleep 100', cpus: 0.1, mem: 16 };
const app = (id: string, fields: object = {}) => ({ id, ...run, ...fields });
const shown = ({ steps }: Steps) =>
  steps.map(({ actions }) =>
    actions
      .map(({ action, app }) => `${action.replace('Application', '')} ${app}`)
      .sort()
      .join(', '),
  );

async function deploymentsOf(api: TestMaster['api']) {
  return (await api.must<Steps[]>('GET', '/v2/deployments')).map(shown);
}

const shop = {
  id: '/shop',
  groups: [
    { id: 'front', dependencies: ['../back', '/none'], apps: [app('web'), app('img')] },
    { id: 'back', dependencies: ['/shop/data/pg'], apps: [app('api')] },
    { id: 'data', apps: [app('pg'), app('kv', { dependencies: ['pg'] })] },
  ],
};
const plan = [
  'Start /shop/back/api, Start /shop/data/kv, Start /shop/data/pg, Start /shop/front/img, Start /shop/front/web',
  'Scale /shop/data/pg',
  'Scale /shop/back/api, Scale /shop/data/kv',
  'Scale /shop/front/img, Scale /shop/front/web',
];

t.test('groups start after the groups and apps they depend on', async (t) => {
  const { api, agent } = await startMaster(t);

  await t.test('a dry run shows the steps and leaves no trace', async (t) => {
    const [before, versions] = [await api.state(), await api.must('GET', '/v2/groups/versions')];
    for (const [method, path] of [
      ['PUT', '/v2/groups?dryRun=true'],
      ['PUT', '/v2/groups/shop?dryRun=TRUE&force=true'],
      ['POST', '/v2/groups?dryRun=true'],
    ] as const) {
      const body = path.startsWith('/v2/groups/') ? { ...shop, id: undefined } : shop;
      const answer = await api.call(method, path, { body });
      t.equal(answer.status, 200);
      t.same(Object.keys(answer.body as object), ['steps']);
      t.same(shown(answer.body as Steps), plan, `${method} ${path}`);
    }
    t.equal(await api.state(), before);
    t.same(await api.must('GET', '/v2/groups/versions'), versions);
  });

  await t.test('the deployment has the same steps', async (t) => {
    await api.must('POST', '/v2/groups', shop);
    t.same(await deploymentsOf(api), [plan]);
    t.match(await api.must('GET', '/v2/groups/shop/front'), { dependencies: ['/shop/back', '/none'] });
    await agent('h1');
    await api.settled();
  });

  await t.test('a list that is left out stays, one that is empty does away with them', async (t) => {
    const { version } = await api.must<Result>('PUT', '/v2/groups/shop/front', { apps: [app('web')] });
    t.match(await api.must('GET', '/v2/groups/shop/front'), {
      dependencies: ['/shop/back', '/none'],
      version,
    });
    await api.settled();
    await api.must('PUT', '/v2/groups/shop/front', { dependencies: [] });
    t.match(await api.must('GET', '/v2/groups/shop/front'), { dependencies: [] });
    t.match(await api.must('GET', `/v2/groups/shop/front/versions/${version}`), {
      dependencies: ['/shop/back', '/none'],
    });
    await api.must('PUT', '/v2/groups/shop/front', { version });
    t.match(await api.must('GET', '/v2/groups/shop/front'), { dependencies: ['/shop/back', '/none'] });
  });

  await t.test('groups that depend on each other are refused', async (t) => {
    await api.settled();
    const before = await api.state();
    const { status, body } = await api.call('PUT', '/v2/groups/shop/data?force=true', {
      body: { dependencies: ['/shop/front'] },
    });
    t.equal(status, 422);
    t.match(body, { details: [{ path: '/', errors: ['Dependency graph has cyclic dependencies.'] }] });
    t.equal(await api.state(), before);
  });
});

t.test('rolling back takes groups away that were added, and their new dependencies', async (t) => {
  const { api } = await startMaster(t);
  const { deploymentId: first } = await api.must<Result>('PUT', '/v2/groups/a', { dependencies: ['/z'] });
  t.ok(first);
  const { deploymentId } = await api.must<Result>('PUT', '/v2/groups', {
    groups: [
      { id: 'a', dependencies: ['/y'] },
      { id: 'b', groups: [{ id: 'in', apps: [app('x')] }] },
    ],
  });
  t.match(await api.must('GET', '/v2/groups/a'), { dependencies: ['/y'] });
  await api.must('PUT', '/v2/groups/c', {});
  await api.must('DELETE', `/v2/deployments/${deploymentId}`);
  t.match(await api.must('GET', '/v2/groups'), {
    groups: [{ id: '/a', dependencies: ['/z'] }, { id: '/c' }],
  });
});

t.test('a group that enforces its role gives it to the apps that come', async (t) => {
  const { api } = await startMaster(t);
  const put = (path: string, body: object) => api.call('PUT', `${path}?force=true`, { body });
  const roleOf = async (id: string) =>
    (await api.must<{ app: { role?: string } }>('GET', `/v2/apps${id}`)).app.role;
  await put('/v2/groups/dev', { apps: [app('old')] });
  t.equal((await api.call('PATCH', '/v2/groups/dev', { body: { enforceRole: true } })).text, '');
  t.match(await api.must('GET', '/v2/groups/dev'), { enforceRole: true });
  await put('/v2/apps/dev/in/new', run);
  await put('/v2/apps/ops/other', { ...run, role: 'ops', acceptedResourceRoles: ['ops', '*'] });
  t.same(
    [await roleOf('/dev/old'), await roleOf('/dev/in/new'), await roleOf('/ops/other')],
    [undefined, 'dev', 'ops'],
  );
  for (const [path, role] of [
    ['/v2/apps/dev/x', '*'],
    ['/v2/apps/ops/x', 'dev'],
    ['/v2/apps/top', 'top'],
  ] as const) {
    const refused = await put(path, { ...run, role });
    t.equal(refused.status, 422, path);
    t.match(refused.body, {
      details: [{ path: '/role', errors: [new RegExp(`^got .${role.slice(1)}, expected one of: `)] }],
    });
  }
  t.equal((await api.call('PATCH', '/v2/groups/none', { body: { enforceRole: true } })).status, 404);
  t.equal((await api.call('PATCH', '/v2/groups/dev/in', { body: { enforceRole: true } })).status, 422);
  t.equal((await api.call('PATCH', '/v2/groups/dev', { body: {} })).status, 422);
});

t.test('no more than a hundred deployments are on their way at once', async (t) => {
  const { api } = await startMaster(t);
  for (let n = 0; n < 100; n++) await api.must('POST', '/v2/apps', app(`/many/n${n}`));
  const before = await api.state();
  for (const path of ['/v2/apps', '/v2/apps?force=true']) {
    const { status, body } = await api.call('POST', path, { body: app('/late') });
    t.equal(status, 403);
    t.match(body, { message: /^Max number \(100\) of running deployments is achieved\./ });
  }
  t.equal(await api.state(), before);
  const taken = await api.call('PUT', '/v2/apps/many/n1?force=true', { body: { instances: 2 } });
  t.equal(taken.status, 200, 'a change that takes the place of another one');
});

t.test('what was put is told before that the root changed', async (t) => {
  const { api } = await startMaster(t);
  const events = await api.events();
  const { version } = await api.must<Result>('PUT', '/v2/groups', { apps: [app('/a'), app('/b')] });
  const types: string[] = [];
  for (;;) {
    const event = await events.next();
    types.push(event.eventType);
    if (event.eventType === 'api_post_event') t.match(event, { appDefinition: { version } });
    if (event.eventType === 'deployment_info') break;
  }
  events.close();
  t.same(types, [
    ...['event_stream_attached', 'api_post_event', 'api_post_event'],
    ...['group_change_success', 'deployment_info'],
  ]);
});

t.test('a deployment says what each instance waits for, where strict clients do not look', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/apps', app('/wide', { cpus: 4, instances: 2 }));
  type Waiting = { waits: { app: string; kind: string; count: number }[] }[];
  const [deployment] = await api.until<Waiting>(
    '/v1/deployments',
    ([one]) => one?.waits[0]?.kind === 'no-agent',
  );
  t.match(deployment, {
    currentStep: 2,
    waits: [{ app: '/wide', kind: 'no-agent', count: 2, detail: String }],
  });
  const [plain] = await api.must<object[]>('GET', '/v2/deployments');
  t.same(Object.keys(plain ?? {}).sort(), [
    ...['affectedApps', 'affectedPods', 'currentActions', 'currentStep', 'id', 'steps', 'totalSteps'],
    'version',
  ]);
});
