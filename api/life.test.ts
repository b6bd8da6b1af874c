import t from 'tap';
import { startMaster } from './testing/master.ts';

type App = {
  app: {
    tasks: { id: string; state: string; host: string; stagedAt?: string; ports: number[] }[];
    tasksRunning: number;
    lastTaskFailure?: { state: string; message: string };
  };
};
type Actions = { currentActions: { app: string; readinessCheckResults: unknown[] }[] }[];
type Why = { waits: { kind: string; detail: string }[] };

const app = { cmd: 'sleep 100', cpus: 0.1, mem: 16 };
const instanceOf = (taskId = '') => taskId.replace(/\._app\.\d+$/, '');

t.test('a deployment waits for readiness, and shows what the checks said', async (t) => {
  const { api, agent } = await startMaster(t);
  const h1 = await agent('h1');
  const readinessChecks = [{ name: 'warm', portName: 'web', preserveLastResponse: true }];
  const portDefinitions = [{ port: 0, name: 'web' }];
  const definition = { ...app, id: '/web', portDefinitions, readinessChecks };
  t.match(await api.must('POST', '/v2/apps', definition), {
    readinessChecks: [{ name: 'warm', path: '/', httpStatusCodesForReady: [200], timeoutSeconds: 10 }],
  });
  const { app: info } = await api.until<App>('/v2/apps//web', (body) => body.app.tasksRunning === 1);
  const id = instanceOf(info.tasks[0]?.id);
  await api.until<Why>('/v1/why/web', ({ waits }) => waits[0]?.kind === 'readiness');

  const lastResponse = { status: 503, contentType: 'text/plain', body: 'warming up' };
  await h1.observe(id, { readiness: { name: 'warm', ready: false, lastResponse } });
  const results = [{ name: 'warm', taskId: id, ready: false, lastResponse }];
  t.match(await api.must<Actions>('GET', '/v2/deployments'), [
    { currentActions: [{ app: '/web', readinessCheckResults: results }] },
  ]);
  t.match(await api.must('GET', '/v2/apps?embed=apps.readiness'), {
    apps: [{ id: '/web', readinessCheckResults: results }],
  });
  t.match(await api.must('GET', '/v1/why/web'), { waits: [{ detail: /warm says .* it answered 503/ }] });

  await h1.observe(id, { readiness: { name: 'warm', ready: true } });
  await api.settled();
  t.match(await api.must('GET', '/v2/apps?embed=apps.readiness'), { apps: [{ readinessCheckResults: [] }] });
});

t.test('what a general check saw is shown with the task, and ends nothing', async (t) => {
  const { api, agent } = await startMaster(t);
  const h1 = await agent('h1');
  await api.must('POST', '/v2/apps', { ...app, id: '/web', check: { http: { portIndex: 0, path: '/up' } } });
  await api.settled();
  const { app: info } = await api.must<App>('GET', '/v2/apps//web');
  t.match(info, { check: { http: { path: '/up' }, intervalSeconds: 60, delaySeconds: 15 } });
  t.notOk('checkResult' in (info.tasks[0] ?? {}), 'nothing is said before it was looked at');
  await h1.observe(instanceOf(info.tasks[0]?.id), { check: { kind: 'http', statusCode: 503 } });
  t.match(await api.must('GET', '/v2/apps//web'), {
    app: { tasks: [{ state: 'TASK_RUNNING', checkResult: { http: { statusCode: 503 } } }] },
  });
});

t.test('an instance that fails its checks is killed and replaced, and clients are told why', async (t) => {
  const { api, agent } = await startMaster(t);
  const h1 = await agent('h1');
  const healthChecks = [{ protocol: 'HTTP', maxConsecutiveFailures: 2 }];
  await api.must('POST', '/v2/apps', { ...app, id: '/web', healthChecks });
  await api.settled();
  const [task] = (await api.must<App>('GET', '/v2/apps//web')).app.tasks;
  const instanceId = instanceOf(task?.id);
  const events = await api.events('event_type=unhealthy_instance_kill_event&event_type=status_update_event');
  const failing = { alive: false, consecutiveFailures: 3, lastFailureCause: 'HTTP status 500' };
  await h1.observe(instanceId, { health: [failing] });
  const [kill] = await events.upTo('unhealthy_instance_kill_event');
  const { eventType: _, timestamp: __, ...fields } = kill ?? { eventType: '' };
  t.match(fields, { appId: '/web', taskId: task?.id, instanceId, reason: 'HTTP status 500', host: 'h1' });
  t.same(Object.keys(fields).sort(), [
    ...['appId', 'host', 'instanceId', 'reason', 'slaveId', 'taskId', 'version'],
  ]);
  t.match(await events.next(), { taskId: String, taskStatus: /TASK_(KILLED|STARTING)/ });
  events.close();
  const message = 'Task was killed since health check failed. Reason: HTTP status 500';
  await api.until<App>('/v2/apps//web', ({ app: { lastTaskFailure } }) => {
    return lastTaskFailure?.state === 'TASK_KILLED' && lastTaskFailure.message === message;
  });
  t.same(await api.must('GET', '/v2/queue'), { queue: [] }, 'an orderly kill delays nothing');
});

t.test('the operator sees and moves the brake', async (t) => {
  const { api } = await startMaster(t);
  t.same(await api.must('GET', '/v1/brake'), { mode: 'on', brakes: [], held: [] });
  t.match(await api.must('PUT', '/v1/brake', { mode: 'off' }), { mode: 'off', since: /Z$/ });
  t.match(await api.must('GET', '/v1/brake'), { mode: 'off' });
  const { status, body } = await api.call('PUT', '/v1/brake', { body: { mode: 'sometimes' } });
  t.equal(status, 422);
  t.match(body, { details: [{ path: '/mode' }] });
});

t.test('tasks on a lost agent are unreachable, inactive, forgotten; their node can be removed', async (t) => {
  const { api, agent } = await startMaster(t, ['--agent-lost', '4']);
  const [, h2, h3] = [await agent('h1'), await agent('h2'), await agent('h3')];
  await api.must('POST', '/v2/apps', {
    ...{ ...app, id: '/web', instances: 3, constraints: [['hostname', 'UNIQUE']] },
    unreachableStrategy: { inactiveAfterSeconds: 1, expungeAfterSeconds: 3600 },
  });
  await api.must('POST', '/v2/apps', { ...app, id: '/on', constraints: [['hostname', 'LIKE', 'h3']] });
  await api.settled();
  t.match(await api.call('DELETE', '/v1/nodes/h2'), {
    status: 409,
    body: { message: /^Cannot remove node h2: it was heard of \d s ago and counts as lost in \d s$/ },
  });

  const query = ['status_update_event', 'instance_changed_event'].map((type) => `event_type=${type}`);
  const events = await api.events(query.join('&'));
  await h2.leave();
  t.match(await events.next(), { taskStatus: 'TASK_UNREACHABLE', host: 'h2', appId: '/web' });
  t.match(await events.next(), { condition: 'Unreachable' });
  t.match(await events.next(), { taskStatus: 'TASK_UNREACHABLE' });
  t.match(await events.next(), { condition: 'UnreachableInactive' });
  events.close();
  const { app: info } = await api.must<App>('GET', '/v2/apps//web');
  const away = info.tasks.find(({ host }) => host === 'h2');
  t.match(away, { state: 'TASK_UNREACHABLE', ports: [] });
  t.equal(away?.stagedAt, undefined);
  t.equal(info.tasksRunning, 2);

  t.match(await api.must('DELETE', '/v1/nodes/h2'), { hostname: 'h2', instances: 1 });
  const { app: after } = await api.until<App>('/v2/apps//web', (body) => body.app.tasks.length === 2);
  t.match(after.lastTaskFailure, { state: 'TASK_GONE', message: 'its agent h2 was removed' });
  t.equal((await api.call('DELETE', '/v1/nodes/h2')).status, 404);

  await t.test('and one that is given up at once is in no list any more', async (t) => {
    await h3.leave();
    const { app: on } = await api.until<App>('/v2/apps//on', (body) => body.app.tasks.length === 0);
    t.match(on.lastTaskFailure, { state: 'TASK_LOST' });
  });
});
