import t from 'tap';
import type { App } from './app.ts';
import { portsOf, protocolsOf } from './ports.ts';

/** Only the fields that ports are made of. */
function portsFrom(fields: Pick<App, 'networks' | 'requirePorts'> & Partial<App>) {
  const rest = { id: '/web', instances: 1, cpus: 1, mem: 1, disk: 0, gpus: 0, env: {}, labels: {} };
  const lists = { constraints: [], dependencies: [], healthChecks: [], readinessChecks: [], fetch: [] };
  return portsOf({
    ...rest,
    ...lists,
    executor: '',
    secrets: {},
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    backoffSeconds: 1,
    backoffFactor: 1,
    maxLaunchDelaySeconds: 1,
    killSelection: 'YOUNGEST_FIRST',
    unreachableStrategy: 'disabled',
    version: '',
    versionInfo: { lastScalingAt: '', lastConfigChangeAt: '' },
    ...fields,
  });
}

const definition = { port: 10_001, protocol: 'tcp', name: 'http', labels: { a: 'b' } } as const;
const mapping = {
  containerPort: 80,
  servicePort: 10_002,
  protocol: 'udp',
  labels: {},
  networkNames: ['blue'],
} as const;

t.test('a port definition asks for any host port, with requirePorts for its own', async (t) => {
  const networks = [{ mode: 'host' }] as const;
  const portDefinitions = [definition];
  t.same(portsFrom({ networks, requirePorts: false, portDefinitions }), [
    {
      index: 0,
      name: 'http',
      protocols: ['tcp'],
      hostPort: 0,
      servicePort: 10_001,
      labels: { a: 'b' },
      networkNames: [],
    },
  ]);
  t.match(portsFrom({ networks, requirePorts: true, portDefinitions }), [{ hostPort: 10_001 }]);
});

t.test('a port mapping asks for a host port only when it says so', async (t) => {
  const networks = [{ mode: 'container', name: 'blue' }] as const;
  const container = {
    type: 'MESOS',
    volumes: [],
    portMappings: [mapping, { ...mapping, hostPort: 0 }],
  } as const;
  const [first, second] = portsFrom({
    networks,
    requirePorts: false,
    container,
    portDefinitions: [definition],
  });
  t.same(first, {
    index: 0,
    protocols: ['udp'],
    containerPort: 80,
    servicePort: 10_002,
    labels: {},
    networkNames: ['blue'],
  });
  t.match(second, { index: 1, hostPort: 0 });
});

t.test('protocols keep the order they are written in', async (t) => {
  t.same(protocolsOf('udp,tcp'), ['udp', 'tcp']);
  t.same(protocolsOf('tcp,udp'), ['tcp', 'udp']);
  t.same(protocolsOf('udp'), ['udp']);
});
