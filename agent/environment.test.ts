import fc from 'fast-check';
import t from 'tap';
import type { App } from '../core/model/app.ts';
import type { Placement } from '../core/model/placement.ts';
import { commandOf, environmentOf, SecretMissing } from './environment.ts';

t.test('environment gives the example of Marathon §12', async (t) => {
  const environment = environmentOf({
    app: appWith({
      networks: [{ mode: 'container', name: 'weir' }],
      container: {
        type: 'MESOS',
        volumes: [],
        portMappings: [
          mapping({ containerPort: 8080, name: 'http' }),
          mapping({ hostPort: 0, name: 'admin' }),
        ],
      },
    }),
    placement: placementWith({ hostPorts: [null, 31005], containerPorts: [8080, 31005] }),
    hostname: 'h1',
  });
  t.same(portsIn(environment), {
    PORT0: '8080',
    PORT_8080: '8080',
    PORT_HTTP: '8080',
    PORT1: '31005',
    PORT_31005: '31005',
    PORT_ADMIN: '31005',
    PORT: '31005',
    PORTS: '31005',
  });
});

t.test('environment names context, resources and host', async (t) => {
  const app = appWith({ container: { type: 'DOCKER', docker: image('nginx'), volumes: [] } });
  t.match(environmentOf({ app, placement: placementWith({}), hostname: 'h1', address: '100.64.0.2' }), {
    MESOS_TASK_ID: 'shop_web.instance-1._app.2',
    MARATHON_APP_ID: '/shop/web',
    MARATHON_APP_VERSION: '2026-01-01T00:00:00.000Z',
    MARATHON_APP_DOCKER_IMAGE: 'nginx',
    MARATHON_APP_RESOURCE_CPUS: '0.1',
    MARATHON_APP_RESOURCE_MEM: '128.0',
    MARATHON_APP_RESOURCE_DISK: '0.0',
    MARATHON_APP_RESOURCE_GPUS: '0',
    MESOS_CONTAINER_IP: '100.64.0.2',
    HOST: 'h1',
  });
});

t.test('environment in host mode gives host ports by index, service port and name', async (t) => {
  const app = appWith({
    portDefinitions: [
      { port: 10000, protocol: 'tcp', name: 'web-ui', labels: {} },
      { port: 0, protocol: 'tcp', labels: {} },
    ],
  });
  const placement = placementWith({ hostPorts: [31001, 31002], containerPorts: [null, null] });
  t.same(portsIn(environmentOf({ app, placement, hostname: 'h1' })), {
    PORT0: '31001',
    PORT_10000: '31001',
    'PORT_WEB-UI': '31001',
    PORT1: '31002',
    PORT_31002: '31002',
    PORT: '31001',
    PORTS: '31001,31002',
  });
});

t.test('environment of an app with container ports only has an empty PORTS and no PORT', async (t) => {
  const app = appWith({
    networks: [{ mode: 'container/bridge' }],
    container: { type: 'MESOS', volumes: [], portMappings: [mapping({ containerPort: 80 })] },
  });
  const placement = placementWith({ hostPorts: [null], containerPorts: [80] });
  t.same(portsIn(environmentOf({ app, placement, hostname: 'h1' })), {
    PORT0: '80',
    PORT_80: '80',
    PORTS: '',
  });
});

t.test('environment lists drawn container ports after the host ports', async (t) => {
  const app = appWith({
    networks: [{ mode: 'container', name: 'weir' }],
    container: { type: 'MESOS', volumes: [], portMappings: [mapping({}), mapping({ hostPort: 0 })] },
  });
  const placement = placementWith({ hostPorts: [null, 31001], containerPorts: [40000, 31001] });
  t.match(environmentOf({ app, placement, hostname: 'h1' }), { PORT0: '40000', PORTS: '31001,40000' });
});

t.test('environment of an app without ports has no PORT variables', async (t) => {
  t.same(portsIn(environmentOf({ app: appWith({}), placement: placementWith({}), hostname: 'h1' })), {});
});

t.test('environment escapes label names and leaves out long labels', async (t) => {
  const labels = { 'a.b--c': '1', HAPROXY_GROUP: 'external', long: 'x'.repeat(512) };
  const environment = environmentOf({
    app: appWith({ labels }),
    placement: placementWith({}),
    hostname: 'h1',
  });
  t.match(environment, {
    MARATHON_APP_LABELS: 'A_B_C HAPROXY_GROUP',
    MARATHON_APP_LABEL_A_B_C: '1',
    MARATHON_APP_LABEL_HAPROXY_GROUP: 'external',
  });
  t.notOk('MARATHON_APP_LABEL_LONG' in environment);
});

t.test('environment lets the user override everything', async (t) => {
  const names = ['PORT0', 'HOST', 'MESOS_TASK_ID', 'MARATHON_APP_LABELS', 'PATH'];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.string(), async (name, value) => {
      const app = appWith({ env: { [name]: value } });
      t.equal(environmentOf({ app, placement: placementWith({}), hostname: 'h1' })[name], value);
    }),
    { numRuns: 30 },
  );
});

t.test('environment puts the prefix before HOST and PORT variables only', async (t) => {
  const app = appWith({ portDefinitions: [{ port: 0, protocol: 'tcp', labels: {} }] });
  const placement = placementWith({ hostPorts: [31001], containerPorts: [null] });
  const environment = environmentOf({ app, placement, hostname: 'h1', prefix: 'X_' });
  t.match(environment, { X_HOST: 'h1', X_PORT0: '31001', X_PORTS: '31001', MARATHON_APP_ID: '/shop/web' });
  t.same(portsIn(environment), {});
});

t.test('environment fills in secrets and fails without them', async (t) => {
  const app = appWith({ env: { DB: { secret: 'db' } }, secrets: { db: { source: '/team/db' } } });
  const inputs = { app, placement: placementWith({}), hostname: 'h1' };
  t.equal(environmentOf({ ...inputs, secrets: { '/team/db': 's3' } }).DB, 's3');
  t.throws(() => environmentOf(inputs), SecretMissing);
});

t.test('command is the shell for cmd and the entry point for args', async (t) => {
  t.same(commandOf(appWith({ cmd: 'a | b' })), { kind: 'argv', argv: ['/bin/sh', '-c', 'a | b'] });
  t.same(commandOf(appWith({ args: ['-v'] })), { kind: 'entrypoint', args: ['-v'] });
  t.same(commandOf(appWith({})), { kind: 'entrypoint', args: [] });
});

function portsIn(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('PORT')));
}

function mapping(some: { containerPort?: number; hostPort?: number; name?: string }) {
  return {
    containerPort: 0,
    servicePort: 0,
    protocol: 'tcp' as const,
    labels: {},
    networkNames: [],
    ...some,
  };
}

function image(name: string) {
  return { image: name, forcePullImage: false, privileged: false, parameters: [] };
}

function placementWith(some: Partial<Placement>): Placement {
  return {
    instanceId: 'shop_web.instance-1',
    appId: '/shop/web',
    appVersion: '2026-01-01T00:00:00.000Z',
    agentId: 'a1',
    attempt: 2,
    hostPorts: [],
    containerPorts: [],
    goal: 'run',
    createdAt: 0,
    ...some,
  };
}

function appWith(some: Partial<App>): App {
  return {
    id: '/shop/web',
    instances: 1,
    cpus: 0.1,
    mem: 128,
    disk: 0,
    gpus: 0,
    env: {},
    labels: {},
    executor: '',
    networks: [{ mode: 'host' }],
    requirePorts: false,
    constraints: [],
    dependencies: [],
    healthChecks: [],
    readinessChecks: [],
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    backoffSeconds: 1,
    backoffFactor: 1.15,
    maxLaunchDelaySeconds: 3600,
    killSelection: 'YOUNGEST_FIRST',
    unreachableStrategy: 'disabled',
    fetch: [],
    secrets: {},
    version: '2026-01-01T00:00:00.000Z',
    versionInfo: { lastScalingAt: '', lastConfigChangeAt: '' },
    ...some,
  };
}
