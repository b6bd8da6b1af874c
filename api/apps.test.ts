import t from 'tap';
import { startMaster } from './testing/master.ts';

type Info = {
  version: string;
  versionInfo: { lastScalingAt: string; lastConfigChangeAt: string };
  instances: number;
  cpus: number;
  portDefinitions: { port: number }[];
};
type Result = { deploymentId: string; version: string };

const sleeper = { id: '/web', cmd: 'sleep 100', cpus: 0.1, mem: 16, instances: 2 };

t.test('an app that is posted is answered in Marathon’s shape', async (t) => {
  const { api, url } = await startMaster(t);
  const answer = await api.call('POST', '/v2/apps', { body: sleeper });

  t.equal(answer.status, 201);
  t.equal(answer.headers['location'], `${url}/v2/apps/web`);
  t.match(answer.headers['marathon-deployment-id'], /^[0-9a-f-]{36}$/);
  t.match(answer.headers['content-type'], /^application\/json/);
  t.match(answer.body, {
    ...{ id: '/web', cmd: 'sleep 100', cpus: 0.1, mem: 16, disk: 0, gpus: 0, instances: 2 },
    ...{ backoffFactor: 1.15, backoffSeconds: 1, maxLaunchDelaySeconds: 3600, executor: '', labels: {} },
    networks: [{ mode: 'host' }],
    portDefinitions: [{ port: 10_000, protocol: 'tcp', name: 'default' }],
    requirePorts: false,
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    killSelection: 'YOUNGEST_FIRST',
    unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    version: /^\d{4}-.*\.\d{3}Z$/,
    ...{ tasksStaged: 0, tasksRunning: 0, tasksHealthy: 0, tasksUnhealthy: 0 },
    deployments: [{ id: answer.headers['marathon-deployment-id'] }],
  });
  t.notOk(Object.hasOwn(answer.body as object, 'versionInfo'), 'creating answers without version info');
  t.notOk(Object.hasOwn(answer.body as object, 'tasks'));

  await t.test('service ports are the lowest that are free', async (t) => {
    const portOf = (body: unknown) => (body as Info).portDefinitions[0]?.port;
    const second = await api.call('POST', '/v2/apps', { body: { ...sleeper, id: 'api' } });
    t.equal(portOf(second.body), 10_001);
    await api.must('DELETE', '/v2/apps/web');
    const third = await api.call('POST', '/v2/apps', { body: { ...sleeper, id: '/late' } });
    t.equal(portOf(third.body), 10_000);
  });
});

t.test('an app that is posted twice, or is wrong, is refused in Marathon’s words', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/apps', sleeper);
  const before = await api.state();
  const refused = async (body: unknown, status: number, expected: object) => {
    const answer = await api.call('POST', '/v2/apps', { body });
    t.equal(answer.status, status, JSON.stringify(body));
    t.same(answer.body, expected);
  };

  await refused(sleeper, 409, { message: 'An app with id [/web] already exists.' });
  await refused({ ...sleeper, id: '/a', args: ['x'] }, 422, {
    message: 'Object is not valid',
    details: [
      {
        path: '/',
        errors: ["AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'."],
      },
    ],
  });
  await refused({ id: 5 }, 422, {
    message: 'Invalid JSON',
    details: [{ path: '/id', errors: ['error.expected.jsstring'] }],
  });
  t.equal((await api.call('POST', '/v2/apps', { body: { ...sleeper, id: '/A' } })).status, 422);

  const malformed = await api.call('POST', '/v2/apps', { body: '[' });
  t.equal(malformed.status, 400);
  t.match(malformed.body, { message: 'Invalid JSON', details: String });
  const empty = await api.call('POST', '/v2/apps', { body: '' });
  t.equal(empty.status, 400);
  t.match(empty.body, { message: 'Please specify data in JSON format', details: String });

  t.equal(await api.state(), before, 'what was refused left nothing behind');
});

t.test('a change moves the versions that it is a change of', async (t) => {
  const { api, agent } = await startMaster(t);
  await agent('h1');
  await api.must('POST', '/v2/apps', sleeper);
  await api.settled();
  const read = async () => (await api.must<{ app: Info }>('GET', '/v2/apps/web')).app;
  const first = await read();

  const { version } = await api.must<Result>('PUT', '/v2/apps/web', { instances: 3 });
  t.match(await api.must('GET', '/v2/deployments'), [
    { steps: [{ actions: [{ action: 'ScaleApplication', app: '/web' }] }], totalSteps: 1 },
  ]);
  await api.settled();
  const scaled = await read();
  t.match(scaled, { version, instances: 3, versionInfo: { lastScalingAt: version } });
  t.equal(scaled.versionInfo.lastConfigChangeAt, first.versionInfo.lastConfigChangeAt);

  const changed = await api.must<Result>('PUT', '/v2/apps/web', { cpus: 0.2 });
  t.match(await api.must('GET', '/v2/deployments'), [
    { steps: [{ actions: [{ action: 'RestartApplication', app: '/web' }] }] },
  ]);
  await api.settled();
  const times = { lastScalingAt: changed.version, lastConfigChangeAt: changed.version };
  t.match(await read(), { version: changed.version, versionInfo: times, instances: 3 });

  await t.test('a rollback takes the definition of an older version and a new version’s time', async (t) => {
    const back = await api.must<Result>('PUT', '/v2/apps/web', { version: first.version });
    await api.settled();
    t.match(await read(), { cpus: 0.1, instances: 2, version: back.version });
    const kept = await api.must<{ versions: string[] }>('GET', '/v2/apps/web/versions');
    t.same(kept.versions, [back.version, changed.version, version, first.version], 'newest first');
    t.match(await api.must('GET', `/v2/apps/web/versions/${changed.version}`), { id: '/web', cpus: 0.2 });
  });

  await t.test('a rollback names a version that exists, and nothing else', async (t) => {
    const mixed = await api.call('PUT', '/v2/apps/web', { body: { version: first.version, cpus: 1 } });
    t.equal(mixed.status, 422);
    t.match(mixed.body, { message: "The 'version' field may only be combined with the 'id' field." });
    const never = await api.call('PUT', '/v2/apps/web', { body: { version: '2001-01-01T00:00:00.000Z' } });
    t.equal(never.status, 404);
    t.match(never.body, { message: "App '/web' does not exist in version 2001-01-01T00:00:00.000Z" });
  });
});

t.test('a change of an app under deployment is refused, unless it is forced', async (t) => {
  const { api } = await startMaster(t);
  const first = await api.call('POST', '/v2/apps', { body: sleeper });
  const id = first.headers['marathon-deployment-id'];
  const before = await api.state();

  const locked = await api.call('PUT', '/v2/apps/web', { body: { instances: 5 } });
  t.equal(locked.status, 409);
  t.match(locked.body, { message: /^App is locked by one or more deployments\./, deployments: [{ id }] });
  t.equal(await api.state(), before);

  const events = await api.events('event_type=deployment_failed');
  const forced = await api.call('PUT', '/v2/apps/web?force=true', { body: { instances: 5 } });
  t.equal(forced.status, 200);
  t.match(await events.next(), { id, reason: 'The upgrade has been cancelled' });
  events.close();
  const running = await api.must<{ id: string }[]>('GET', '/v2/deployments');
  t.same(
    running.map((deployment) => deployment.id),
    [(forced.body as Result).deploymentId],
  );
});

t.test('a deployment that is deleted is undone, or left as it is when forced', async (t) => {
  const { api } = await startMaster(t);
  const { deploymentId } = await api.must<Result>('PUT', '/v2/apps/web', sleeper);
  const undone = await api.call('DELETE', `/v2/deployments/${deploymentId}`);
  t.equal(undone.status, 200);
  t.match(undone.body, { deploymentId: String, version: String });
  t.equal((await api.call('GET', '/v2/apps/web')).status, 404, 'the new app is gone');
  await api.settled();

  const again = await api.must<Result>('PUT', '/v2/apps/web', sleeper);
  const left = await api.call('DELETE', `/v2/deployments/${again.deploymentId}?force=true`);
  t.equal(left.status, 202);
  t.equal(left.text, '');
  t.equal((await api.call('GET', '/v2/apps/web')).status, 200);
  const missing = await api.call('DELETE', '/v2/deployments/nope');
  t.equal(missing.status, 404);
  t.same(missing.body, { message: 'DeploymentPlan nope does not exist' });
});

t.test('several apps change in one deployment', async (t) => {
  const { api } = await startMaster(t);
  const put = await api.call('PUT', '/v2/apps', { body: [sleeper, { ...sleeper, id: 'api' }] });
  t.equal(put.status, 200);
  const all = async (query = '') =>
    (await api.must<{ apps: { id: string; instances: number }[] }>('GET', `/v2/apps${query}`)).apps;
  t.match(await all(), [{ id: '/web' }, { id: '/api' }]);
  t.match(await api.must('GET', '/v2/deployments'), [{ affectedApps: ['/web', '/api'] }]);
  const before = await api.state();

  const wrong = await api.call('PATCH', '/v2/apps?force=true', {
    body: [{ id: '/web', instances: 0 }, { id: '/no' }],
  });
  t.equal(wrong.status, 404);
  t.same(wrong.body, { message: "App '/no' does not exist" });
  const nameless = await api.call('PUT', '/v2/apps?force=true', { body: [{ instances: 0 }] });
  t.equal(nameless.status, 422);
  t.same(nameless.body, { message: 'App Update must have app id set' });
  t.equal((await api.call('PUT', '/v2/apps?force=true', { body: { id: '/web' } })).status, 422);
  t.equal(await api.state(), before);

  const ids = [
    { id: '/web', instances: 0 },
    { id: '/api', labels: { tier: 'back' } },
  ];
  t.equal((await api.call('PATCH', '/v2/apps?force=true', { body: ids })).status, 200);
  t.match(await all(), [
    { id: '/web', instances: 0 },
    { id: '/api', instances: 2 },
  ]);
  await t.test('and are found by id, command and label', async (t) => {
    const found = async (query: string) => (await all(query)).map((app) => app.id);
    t.same(await found('?id=WE'), ['/web']);
    t.same(await found('?cmd=Sleep'), ['/web', '/api']);
    t.same(await found('?label=tier==back'), ['/api']);
    t.same(await found('?label=tier==back&id=web'), []);
    t.equal((await api.call('GET', '/v2/apps?label===')).status, 422);
    t.match(await api.must('GET', '/v2/apps/*'), { '*': [{ id: '/web' }, { id: '/api' }] });
  });
});

t.test('an update changes the fields it gives, a whole definition all of them', async (t) => {
  const { api } = await startMaster(t);
  const labels = { tier: 'web' };
  await api.must('PUT', '/v2/apps/web?force=true', { ...sleeper, id: '/other', labels, env: { A: 'b' } });
  t.equal((await api.call('GET', '/v2/apps/other')).status, 404, 'the id of the address counts');
  const read = async () => (await api.must<{ app: Info & { env?: object } }>('GET', '/v2/apps/web')).app;

  await api.must('PATCH', '/v2/apps/web?force=true', { labels: { team: 'red' }, cmd: null });
  t.same(await read(), { ...(await read()), labels: { team: 'red' }, env: { A: 'b' }, cmd: 'sleep 100' });
  await api.must('PUT', '/v2/apps/web?force=true', { env: {} });
  t.notOk((await read()).env, 'emptied');
  await api.must('PUT', '/v2/apps/web?force=true&partialUpdate=false', { cmd: 'sleep 5' });
  t.match(await read(), { cmd: 'sleep 5', cpus: 1, instances: 1, labels: {} });

  const missing = await api.call('PATCH', '/v2/apps/nope', { body: { instances: 1 } });
  t.equal(missing.status, 404);
  t.same(missing.body, { message: "App '/nope' does not exist" });
});

t.test('a change with no effect is a deployment without steps that ends at once', async (t) => {
  const { api, agent } = await startMaster(t);
  await agent('h1');
  await api.must('POST', '/v2/apps', sleeper);
  await api.settled();
  const { app } = await api.must<{ app: Info }>('GET', '/v2/apps/web');
  const events = await api.events('event_type=deployment_success');
  const { deploymentId } = await api.must<Result>('PUT', '/v2/apps/web', { cpus: 0.1 });
  t.match(await events.next(), { id: deploymentId, plan: { steps: [] } });
  events.close();
  t.match(await api.must('GET', '/v2/apps/web'), { app: { version: app.version, tasksRunning: 2 } });
});

t.test('a restart is a new version of the same definition', async (t) => {
  const { api, agent } = await startMaster(t);
  await agent('h1');
  await api.must('POST', '/v2/apps', sleeper);
  await api.settled();
  const { version } = await api.must<Result>('POST', '/v2/apps/web/restart', 'ignored');
  await api.settled();
  t.match(await api.must('GET', '/v2/apps/web'), {
    app: { version, versionInfo: { lastConfigChangeAt: version }, tasks: [{ version }, { version }] },
  });
  t.equal((await api.call('POST', '/v2/apps/nope/restart')).status, 404);
});
