import t from 'tap';
import { startMaster, type TestMaster } from './testing/master.ts';

type Status = {
  status: string;
  instances: { id: string; status: string; specReference: string; agentHostname: string }[];
  terminationHistory: unknown[];
};
type Refusal = { readonly path: string; readonly errors: readonly string[] };

const web = {
  name: 'web',
  exec: { command: { shell: 'exec serve' } },
  resources: { cpus: 0.2, mem: 64 },
  endpoints: [{ name: 'http', hostPort: 0, labels: { VIP_0: '/pair:80' } }],
};
const side = { name: 'side', exec: { command: { argv: ['sleep', '9'] } }, resources: { cpus: 0.1, mem: 32 } };
const pair = { id: '/shop/pair', containers: [web, side], scaling: { kind: 'fixed', instances: 2 } };

async function running(master: TestMaster, id = pair.id): Promise<Status> {
  await master.api.settled();
  return master.api.must<Status>('GET', `/v2/pods${id}::status`);
}

t.test('a pod that is posted is answered with all of its definition', async (t) => {
  const { api, url } = await startMaster(t);
  t.equal((await api.call('HEAD', '/v2/pods')).status, 200);
  t.same(await api.must('GET', '/v2/pods'), []);
  const events = await api.events('event_type=pod_created_event');
  const answer = await api.call('POST', '/v2/pods', { body: { ...pair, version: 'ignored' } });

  t.equal(answer.status, 201, answer.text);
  t.equal(answer.headers['location'], `${url}/v2/pods/shop/pair`);
  t.match(answer.headers['marathon-deployment-id'], /^[0-9a-f-]{36}$/);
  t.match(answer.body, {
    id: '/shop/pair',
    version: /^\d{4}-.*\.\d{3}Z$/,
    networks: [{ mode: 'host' }],
    scaling: { kind: 'fixed', instances: 2 },
    containers: [
      {
        ...{ name: 'web', exec: { command: { shell: 'exec serve' } } },
        resources: { cpus: 0.2, mem: 64, disk: 0, gpus: 0 },
        endpoints: [{ name: 'http', hostPort: 0, protocol: ['tcp'], labels: { VIP_0: '/pair:80' } }],
      },
      { name: 'side', exec: { command: { argv: ['sleep', '9'] } } },
    ],
    scheduling: {
      backoff: { backoff: 1, backoffFactor: 1.15, maxLaunchDelay: 3600 },
      upgrade: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
      placement: { constraints: [], acceptedResourceRoles: [] },
      killSelection: 'YOUNGEST_FIRST',
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    },
    executorResources: { cpus: 0.1, mem: 32, disk: 10 },
  });
  t.match(await events.next(), { eventType: 'pod_created_event', uri: '/v2/pods', clientIp: '127.0.0.1' });
  events.close();
  t.same(await api.must('GET', '/v2/pods/shop/pair'), answer.body);
  t.same(await api.must('GET', '/v2/pods'), [answer.body]);

  await t.test('and waits with a reason that names it', async (t) => {
    const queue = await api.until<{ queue: object[] }>('/v2/queue', ({ queue }) => queue.length > 0);
    t.match(queue.queue, [{ pod: { id: '/shop/pair' }, count: 2 }]);
    t.match(await api.must('GET', '/v1/why/shop/pair'), { waits: [{ detail: 'no agent is connected' }] });
    t.match(await api.must('GET', '/v2/deployments'), [
      {
        ...{ affectedApps: [], affectedPods: ['/shop/pair'] },
        steps: [
          { actions: [{ action: 'StartPod', pod: '/shop/pair' }] },
          { actions: [{ action: 'ScalePod', pod: '/shop/pair' }] },
        ],
      },
    ]);
    t.match(await api.must('GET', '/v2/pods/shop/pair::status'), { status: 'DEGRADED', instances: [] });
  });
});

t.test('apps and pods do not see each other, and share no id', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/pods', pair);
  await api.must('POST', '/v2/apps', { id: '/app', cmd: 'sleep 9' });
  const state = async () =>
    JSON.stringify([await api.must('GET', '/v2/pods'), await api.must('GET', '/v2/apps')]);
  const before = await state();
  const refused = async (method: 'POST' | 'PUT', path: string, body: object, status: number) => {
    const answer = await api.call(method, path, { body });
    t.equal(answer.status, status, `${method} ${path} ${answer.text}`);
    return answer.body;
  };
  const shared = { details: [{ path: '/', errors: ['Applications and Pods may not share the same id'] }] };

  t.match(await refused('POST', '/v2/apps', { id: '/shop/pair', cmd: 'x' }, 422), shared);
  t.match(await refused('PUT', '/v2/apps/shop/pair', { cmd: 'x' }, 422), shared);
  t.match(await refused('POST', '/v2/pods', { ...pair, id: '/app' }, 422), shared);
  t.match(await refused('POST', '/v2/pods', pair, 409), {
    message: 'A pod with id [/shop/pair] already exists.',
  });
  await refused('POST', '/v2/pods', { ...pair, id: '/shop' }, 422);
  t.match(await refused('POST', '/v2/pods', { ...pair, id: '/shop/pair/inner' }, 422), {
    details: [{ errors: ['Groups and Pods may not have the same identifier.'] }],
  });
  await refused('PUT', '/v2/pods/app', { ...pair, id: '/app' }, 404);
  for (const path of ['/v2/apps/shop/pair', '/v2/pods/app', '/v2/pods/app::status', '/v2/pods/none'])
    t.equal((await api.call('GET', path)).status, 404, path);
  t.match(await api.must('GET', '/v2/apps'), { apps: [{ id: '/app' }] });
  t.equal((await api.must<{ apps: object[] }>('GET', '/v2/apps')).apps.length, 1);
  t.equal(await state(), before);
});

t.test('a pod runs, is changed, loses an instance, and goes', async (t) => {
  const master = await startMaster(t);
  const { api } = master;
  await master.agent('h1');
  await api.must('POST', '/v2/pods', pair);
  const status = await running(master);

  t.match(status, { id: '/shop/pair', status: 'STABLE', spec: { id: '/shop/pair' }, terminationHistory: [] });
  const [first] = status.instances;
  t.match(first, {
    id: /^shop_pair\.instance-[0-9a-f-]{36}$/,
    status: 'STABLE',
    agentHostname: 'h1',
    resources: { cpus: 0.4, mem: 128, disk: 10, gpus: 0 },
    containers: [
      { name: 'web', status: 'TASK_RUNNING', endpoints: [{ name: 'http', allocatedHostPort: Number }] },
      { name: 'side', status: 'TASK_RUNNING', endpoints: [], conditions: [] },
    ],
  });
  for (const path of ['/v2/pods::status', '/v2/pods/::status'])
    t.match(await api.must('GET', path), [{ status: 'STABLE' }], path);
  t.same(await api.must('GET', '/v2/tasks'), { tasks: [] });

  await t.test('scaling keeps its instances', async (t) => {
    const body = { ...pair, scaling: { kind: 'fixed', instances: 3 } };
    const answer = await api.call('PUT', '/v2/pods/shop/pair', { body });
    t.equal(answer.status, 200);
    t.match(answer.headers['marathon-deployment-id'], /^[0-9a-f-]{36}$/);
    t.match(answer.body, { id: '/shop/pair', scaling: { instances: 3 } });
    const after = await running(master);
    t.equal(after.instances.length, 3);
    for (const { id } of status.instances) t.ok(after.instances.some((instance) => instance.id === id));
  });

  await t.test('another label replaces them all', async (t) => {
    await api.must('PUT', '/v2/pods/shop/pair', { ...pair, labels: { a: 'b' } });
    const after = await running(master);
    t.equal(after.instances.length, 2);
    for (const { id } of status.instances) t.notOk(after.instances.some((instance) => instance.id === id));
    const versions = await api.must<string[]>('GET', '/v2/pods/shop/pair::versions');
    t.equal(versions.length, 3);
    t.match(await api.must('GET', `/v2/pods/shop/pair::versions/${versions[1]}`), {
      scaling: { instances: 3 },
      version: versions[1],
    });
    t.equal(after.instances[0]?.specReference, `/v2/pods/shop/pair::versions/${versions[0]}`);
    t.equal((await api.call('GET', '/v2/pods/shop/pair::versions/2000-01-01T00:00:00.000Z')).status, 404);
  });

  await t.test('a body for another pod is refused', async (t) => {
    const answer = await api.call('PUT', '/v2/pods/shop/pair', { body: { ...pair, id: '/bla' } });
    t.equal(answer.status, 400);
    t.same(answer.body, { message: "'/shop/pair' does not match definition's id ('/bla')" });
  });

  await t.test('a killed instance is answered, and replaced', async (t) => {
    const [victim, other] = (await running(master)).instances.map(({ id }) => id);
    const one = await api.call('DELETE', `/v2/pods/shop/pair::instances/${victim}`);
    t.equal(one.status, 200);
    t.match(one.body, {
      instanceId: { idString: victim },
      state: { condition: { str: 'Running' }, since: String, activeSince: String, goal: 'Running' },
      agentInfo: { host: 'h1', agentId: String, attributes: [] },
      runSpecVersion: String,
      unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    });
    const gone = await api.call('DELETE', '/v2/pods/shop/pair::instances/shop_pair.instance-x');
    t.equal(gone.status, 404);
    t.same(gone.body, { message: "Task 'shop_pair.instance-x' does not exist" });
    const many = await api.call('DELETE', '/v2/pods/shop/pair::instances', { body: [other, 'unknown'] });
    t.match(many.body, [{ instanceId: { idString: other } }]);
    await api.until<Status>(
      '/v2/pods/shop/pair::status',
      ({ status, instances }) =>
        status === 'STABLE' &&
        instances.length === 2 &&
        !instances.some(({ id }) => id === victim || id === other),
    );
  });

  await t.test('deleting answers 202 and leaves nothing', async (t) => {
    const events = await api.events('event_type=pod_deleted_event');
    const answer = await api.call('DELETE', '/v2/pods/shop/pair');
    t.equal(answer.status, 202);
    t.equal(answer.text, '');
    t.equal(answer.headers['location'], answer.headers['marathon-deployment-id']);
    t.match(await events.next(), { eventType: 'pod_deleted_event' });
    events.close();
    await api.settled();
    t.equal((await api.call('GET', '/v2/pods/shop/pair::status')).status, 404);
    t.equal((await api.call('DELETE', '/v2/pods/shop/pair')).status, 404);
  });
});

t.test('groups show their pods, and changes of apps leave them alone', async (t) => {
  const master = await startMaster(t);
  const { api } = master;
  await master.agent('h1');
  await api.must('POST', '/v2/pods', pair);
  await running(master);
  const pods = [{ id: '/shop/pair', status: 'STABLE', spec: { id: '/shop/pair' } }];
  t.match(await api.must('GET', '/v2/groups/shop'), { apps: [], pods });
  const only = await api.must<object>('GET', '/v2/groups/shop?embed=group.pods');
  t.match(only, { pods });
  t.notOk(Object.hasOwn(only, 'apps'));
  t.notOk(Object.hasOwn(await api.must<object>('GET', '/v2/groups/shop?embed=group.apps'), 'pods'));

  await api.must('PUT', '/v2/groups/shop', { apps: [{ id: 'a', cmd: 'sleep 9', mem: 16, cpus: 0.1 }] });
  await api.must('PUT', '/v2/groups/shop?force=true', { apps: [] });
  await api.must('PUT', '/v2/groups/shop?force=true', { scaleBy: 2 });
  t.match(await running(master), { status: 'STABLE', spec: { scaling: { instances: 2 } } });
  t.match(await api.must('GET', '/v2/groups/shop'), { apps: [], pods });

  await api.must('DELETE', '/v2/groups/shop?force=true');
  await api.settled();
  t.same(await api.must('GET', '/v2/pods'), []);
});

t.test('a pod that is being changed is locked; force, and cancelling, work as for apps', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/pods', pair);
  const [deployment] = await api.must<{ id: string }[]>('GET', '/v2/deployments');
  const changed = { ...pair, labels: { a: 'b' } };
  const locked = await api.call('PUT', '/v2/pods/shop/pair', { body: changed });
  t.equal(locked.status, 409);
  t.match(locked.body, { deployments: [{ id: deployment?.id }] });
  t.equal((await api.call('DELETE', '/v2/pods/shop/pair')).status, 409);
  await api.must('PUT', '/v2/pods/shop/pair?force=true', changed);
  const [forced] = await api.must<{ id: string }[]>('GET', '/v2/deployments');
  await api.must('DELETE', `/v2/deployments/${forced?.id}`);
  t.notOk((await api.must<{ labels?: object }>('GET', '/v2/pods/shop/pair')).labels);
});

t.test('a pod that is wrong is refused with the path of every fault', async (t) => {
  const { api } = await startMaster(t);
  const details = async (body: unknown) => {
    const answer = await api.call('POST', '/v2/pods', { body });
    t.equal(answer.status, 422, JSON.stringify(body));
    return (answer.body as { details: readonly Refusal[] }).details;
  };
  const one = async (body: unknown) =>
    Object.fromEntries((await details(body)).map((d) => [d.path, d.errors[0]]));
  const of = (container: object, rest: object = {}) => ({
    ...pair,
    containers: [{ ...web, ...container }],
    ...rest,
  });

  t.same(await one({ id: '/p' }), { '/containers': 'error.path.missing' });
  t.same(await one({ ...pair, containers: [{ name: 'A' }] }), {
    '/containers(0)/name': 'error.pattern',
    '/containers(0)/resources': 'error.path.missing',
  });
  t.same(await one({ ...pair, containers: [side, side] }), {
    '/containers': 'container names must be unique',
  });
  t.same(await one({ ...pair, containers: [web, { ...web, name: 'b' }] }), {
    '/': 'endpoint names nust be unique across all containers',
  });
  t.same(await one(of({ endpoints: [{ name: 'a', containerPort: 80 }] })), {
    '/containers(0)/endpoints(0)/containerPort': 'is not allowed when using host-mode networking',
  });
  t.same(await one(of({}, { networks: [{ mode: 'container/bridge' }] })), {
    '/containers(0)/endpoints(0)/containerPort': 'is required when using container-mode networking',
  });
  t.same(await one(of({ volumeMounts: [{ name: 'v', mountPath: 'x' }] }, { volumes: [{ name: 'w' }] })), {
    '/containers(0)/volumeMounts(0)/name': 'Referenced Volume in VolumeMount should exist',
    '/volumes(0)': 'volume must be referenced by at least one container',
  });
  t.same(await one(of({ healthCheck: { http: { endpoint: 'http' }, tcp: { endpoint: 'http' } } })), {
    '/containers(0)/healthCheck': 'Only one of http, tcp, or command may be specified',
  });
  t.same(
    await one(of({}, { scheduling: { placement: { constraints: [{ fieldName: 'a', operator: 'LIKE' }] } } })),
    {
      '/scheduling/placement/constraints(0)': 'LIKE and UNLIKE require a non-empty, regular expression value',
    },
  );
  t.match(await one(of({ environment: { 'a-b': 'x' } })), {
    '/containers(0)/environment/a-b': /^must fully match regular expression/,
  });
  t.same(await one(of({ environment: { A: { secret: 's' } } })), {
    '/containers(0)/environment/A/secret': 'references an undefined secret',
  });
  t.match(await one(of({ endpoints: [] }, { networks: [{ name: 'nowhere' }] })), {
    '/networks': /does not exist/,
  });
});
