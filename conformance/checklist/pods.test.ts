import t from 'tap';
import { openHost } from '../product/host.ts';
import { environmentOf, processesOfTask } from '../product/machine.ts';
import { type PodStatus, podUntil } from '../product/pod-api.ts';
import { startProduct } from '../product/product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

const sleeper = (name: string, endpoint: object) => ({
  name,
  exec: { command: { shell: 'exec sleep 100000' } },
  resources: { cpus: 0.01, mem: 16 },
  endpoints: [endpoint],
});

t.test('checklist 18: a pod of two containers, from its definition to its end', { skip }, async (t) => {
  const host = await openHost(t, 'clpods');
  const { api } = await startProduct(host);
  t.equal((await api.call('HEAD', '/v2/pods')).status, 200, 'there are pods here');
  const definition = {
    id: '/pair',
    networks: [{ mode: 'container', name: 'weir' }],
    containers: [
      sleeper('web', { name: 'http-api', containerPort: 8080, hostPort: 0 }),
      sleeper('side', { name: 'admin', containerPort: 9090 }),
    ],
  };
  const created = await api.call('POST', '/v2/pods', definition);
  t.match(created, {
    status: 201,
    headers: { location: 'http://127.0.0.1:8080/v2/pods/pair', 'marathon-deployment-id': String },
    body: {
      id: '/pair',
      containers: [{ name: 'web' }, { name: 'side' }],
      scaling: { kind: 'fixed', instances: 1 },
    },
  });
  t.match(await api.call('POST', '/v2/pods', definition), {
    status: 409,
    body: { message: 'A pod with id [/pair] already exists.' },
  });

  const { instances } = await podUntil(api, '/pair', ({ status }: PodStatus) => status === 'STABLE');
  const [instance] = instances;
  const [web, side] = instance?.containers ?? [];
  t.match(instance, { id: /^pair\.instance-[0-9a-f-]+$/, status: 'STABLE', networks: [{ name: 'weir' }] });
  for (const container of [web, side]) {
    const env = Object.fromEntries(environmentOf(processesOfTask(container?.containerId ?? '')[0] ?? 0));
    t.match(env, {
      MARATHON_APP_ID: '/pair',
      MARATHON_CONTAINER_ID: container?.name,
      ENDPOINT_HTTP_API: '8080',
      EP_CONTAINER_HTTP_API: '8080',
      EP_HOST_HTTP_API: /^31\d\d\d$/,
      ENDPOINT_ADMIN: '9090',
      EP_CONTAINER_ADMIN: '9090',
    });
    t.notOk('EP_HOST_ADMIN' in env, 'it has none');
  }

  t.match(await api.call('PUT', '/v2/pods/pair', { ...definition, id: '/other' }), {
    status: 400,
    body: { message: "'/pair' does not match definition's id ('/other')" },
  });
  t.match(await api.call('PUT', '/v2/pods/nothing', { ...definition, id: '/nothing' }), { status: 404 });
  await api.must('PUT', '/v2/pods/pair', { ...definition, labels: { version: 'two' } });
  const versions = await api.eventually('/v2/pods/pair::versions', (all: string[]) => all.length === 2);
  t.match(await api.must('GET', `/v2/pods/pair::versions/${versions.toSorted()[0]}`), { id: '/pair' });
  t.match(await api.must('GET', '/v2/pods::status'), [{ id: '/pair', spec: { labels: { version: 'two' } } }]);
  await api.eventually('/v2/deployments', (all: readonly unknown[]) => all.length === 0);

  const { instances: now } = await podUntil(api, '/pair', ({ status }: PodStatus) => status === 'STABLE');
  t.match(await api.call('DELETE', `/v2/pods/pair::instances/${now[0]?.id}`), {
    status: 200,
    body: { instanceId: { idString: now[0]?.id }, agentInfo: { host: String } },
  });
  t.match(await api.call('DELETE', '/v2/pods/pair'), {
    status: 202,
    text: '',
    headers: { 'marathon-deployment-id': String },
  });
  await api.eventually('/v2/deployments', (all: readonly unknown[]) => all.length === 0);
  t.match(await api.call('GET', '/v2/pods/pair'), {
    status: 404,
    body: { message: "Pod '/pair' does not exist" },
  });
});
