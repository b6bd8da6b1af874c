import t from 'tap';
import { script, webServer } from './definitions.ts';
import { openHost } from './host.ts';
import { startProduct } from './product.ts';
import { backends, type ReadApp, scrapeTargets } from './readers.ts';
import { get } from './web-app.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Apps = { readonly apps: readonly ReadApp[] };

const { cmd, healthChecks } = webServer('/any');
const base = { cmd, healthChecks, cpus: 0.05, mem: 64, env: { GREETING: 'hi', DELAY: '0' }, instances: 2 };
/** One app for each way of networking, with what the readers look for. */
const apps = [
  {
    ...base,
    id: '/read/host',
    portDefinitions: [{ port: 10_101, name: 'http', labels: { metrics: 'yes' } }],
  },
  {
    ...base,
    id: '/read/fixed',
    instances: 1,
    requirePorts: true,
    portDefinitions: [{ port: 31_777, name: 'http' }],
  },
  {
    ...base,
    id: '/read/bridge',
    networks: [{ mode: 'container/bridge' }],
    container: { type: 'MESOS', portMappings: [{ containerPort: 0, servicePort: 10_102, name: 'http' }] },
  },
  {
    ...base,
    id: '/read/inside',
    networks: [{ mode: 'container', name: 'weir' }],
    container: {
      type: 'MESOS',
      portMappings: [
        { containerPort: 9_000, servicePort: 10_103, name: 'http', labels: { VIP_0: '/read:80' } },
      ],
    },
    labels: { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'read.example', 'traefik.enable': 'true' },
  },
];

t.test('what reads the list of apps finds every instance where it serves', { skip }, async (t) => {
  const host = await openHost(t, 'readers');
  const { api } = await startProduct(host);
  for (const app of apps) await api.must('POST', '/v2/apps', app);
  for (const { id, instances } of apps) await api.until(id, ({ tasksHealthy }) => tasksHealthy === instances);
  await api.must('POST', '/v2/apps', {
    ...script('/read/sick', [], { container: { type: 'MESOS', portMappings: [{ containerPort: 9_000 }] } }),
    healthChecks: [failing],
  });
  await api.until('/read/sick', ({ tasksUnhealthy }) => tasksUnhealthy === 1);
  // The slash before the question mark is how Prometheus asks.
  const list = await api.must<Apps>('GET', '/v2/apps/?embed=apps.tasks');
  const read = (id: string) => {
    const app = list.apps.find((one) => one.id === id);
    if (app === undefined) throw new Error(`${id} is not in the list`);
    return app;
  };

  await t.test('as Prometheus does', async (t) => {
    for (const { id, instances } of apps) {
      const targets = scrapeTargets(read(id));
      t.equal(targets.length, instances, `${id}: ${targets.join(', ')}`);
      const answers = await Promise.all(targets.map((target) => get(host, `http://${reached(target)}/`)));
      t.same(
        answers.map(taskOf).toSorted(),
        read(id)
          .tasks.map((task) => task.id)
          .toSorted(),
        'each its own',
      );
    }
  });

  await t.test('as a load balancer does, by service port, the healthy only', async (t) => {
    for (const [id, port] of [
      ['/read/host', 10_101],
      ['/read/bridge', 10_102],
      ['/read/inside', 10_103],
    ] as const) {
      const servers = backends(read(id), true).get(port) ?? [];
      t.equal(servers.length, 2, `${id}: ${servers.join(', ')}`);
      for (const server of servers) t.match(await get(host, `http://${reached(server)}/`), / hi$/);
    }
    t.same([...backends(read('/read/sick'), true).values()], [[]], 'an unhealthy one gets nothing');
    t.match(read('/read/inside').labels, { HAPROXY_0_VHOST: 'read.example' });
  });

  await t.test('with every key that they do without asking whether it is there', async (t) => {
    for (const app of list.apps) {
      t.match(app, {
        ...{
          id: String,
          labels: Object,
          networks: Array,
          tasks: Array,
          instances: Number,
          requirePorts: Boolean,
        },
        ...{
          deployments: Array,
          version: String,
          tasksRunning: Number,
          tasksHealthy: Number,
          tasksUnhealthy: Number,
        },
        versionInfo: { lastScalingAt: String, lastConfigChangeAt: String },
      });
      for (const task of app.tasks)
        t.match(task, {
          ...{ id: String, appId: app.id, host: String, ports: Array, ipAddresses: [{ protocol: 'IPv4' }] },
          ...{ state: 'TASK_RUNNING', stagedAt: String, startedAt: String, version: String, slaveId: String },
        });
      for (const mapping of app.container?.portMappings ?? []) t.type(mapping.labels, 'object');
    }
    t.notMatch(JSON.stringify(list), /:null\b/, 'nothing is null');
  });

  /** The machine's own name leads nowhere in a namespace without a way out. */
  function reached(target: string): string {
    return target.replace(/^[^\d][^:]*:/, '100.127.255.1:');
  }
});

const failing = {
  protocol: 'COMMAND',
  command: { value: 'false' },
  gracePeriodSeconds: 0,
  intervalSeconds: 1,
  timeoutSeconds: 1,
  delaySeconds: 0,
  maxConsecutiveFailures: 0,
};

function taskOf(answer: string): string {
  return answer.split(' ')[0] ?? '';
}
