import t from 'tap';
import type { App, PortMapping } from '../model/app.ts';
import { type EndpointSources, endpointOf } from './endpoints.ts';
import { testAgent } from './testing/agents.ts';
import { tcpCheck, testApp } from './testing/apps.ts';
import { running, testInstance, testPlacement } from './testing/instances.ts';

const mapping: PortMapping = {
  containerPort: 80,
  servicePort: 10_000,
  protocol: 'tcp',
  name: 'http',
  labels: { VIP_0: 'web:80' },
  networkNames: [],
};

function sources(app: App, fields: Partial<EndpointSources> = {}): EndpointSources {
  const placement = testPlacement(app, 1, { hostPorts: [31_000], containerPorts: [80] });
  const addresses = [{ network: 'weir', ip: '100.64.1.2' }];
  const instance = testInstance(placement, running({ addresses }));
  return { placement, instance, app, agent: testAgent('h1', { address: '192.0.2.1' }), ...fields };
}

const hostApp = testApp('/web', { portDefinitions: [{ port: 10_000, protocol: 'udp,tcp', labels: {} }] });
const containerApp = testApp('/web', {
  networks: [{ mode: 'container', name: 'weir' }],
  container: { type: 'MESOS', volumes: [], portMappings: [mapping] },
});

t.test('an endpoint in host mode is the agent and its host port', async (t) => {
  const endpoint = endpointOf(sources(hostApp));
  t.same(endpoint?.addresses, []);
  t.match(endpoint?.ports, [
    { protocols: ['udp', 'tcp'], address: '192.0.2.1', port: 31_000, scope: 'host', hostPort: 31_000 },
  ]);
  t.equal(endpoint?.taskId, 'web.instance-1._app.1');
});

t.test('an endpoint on a container network is the container and its own port', async (t) => {
  const endpoint = endpointOf(sources(containerApp));
  t.match(endpoint?.ports, [
    {
      name: 'http',
      address: '100.64.1.2',
      port: 80,
      scope: 'container',
      hostPort: 31_000,
      containerPort: 80,
    },
  ]);
});

t.test('a port that names a network is reached through that one', async (t) => {
  const portMappings = [{ ...mapping, networkNames: ['blue'] }];
  const app = testApp('/web', { ...containerApp, container: { type: 'MESOS', volumes: [], portMappings } });
  const base = sources(app);
  const addresses = [
    { network: 'weir', ip: '100.64.1.2' },
    { network: 'blue', ip: '100.65.1.2' },
  ];
  const instance = testInstance(base.placement, running({ addresses }));
  t.equal(endpointOf({ ...base, instance })?.ports[0]?.address, '100.65.1.2');
});

t.test('a container without an address is reached through the host port, or not at all', async (t) => {
  const base = sources(containerApp);
  const instance = testInstance(base.placement, running());
  t.match(endpointOf({ ...base, instance })?.ports, [{ address: '192.0.2.1', port: 31_000, scope: 'host' }]);
  const placement = { ...base.placement, hostPorts: [null] };
  t.same(endpointOf({ ...base, instance, placement })?.ports, []);
});

t.test(
  'what drains has an endpoint that is not ready and says until when, while its checks pass',
  async (t) => {
    const base = sources(hostApp, { drainLimitMs: 10_000 });
    const placement = { ...base.placement, goal: 'drain', drainingSince: 5 } as const;
    t.match(endpointOf({ ...base, placement }), { ready: false, draining: { until: 10_005 } });
    const sick = running({ health: [{ alive: false, consecutiveFailures: 3 }] });
    const app = testApp('/web', { ...hostApp, healthChecks: [tcpCheck] });
    const others = {
      sick: { ...base, placement, app, instance: testInstance(placement, sick) },
      unreachable: { ...base, placement: { ...placement, unreachableSince: 7 } },
    };
    for (const [name, one] of Object.entries(others)) t.equal(endpointOf(one), undefined, name);
  },
);

t.test('what stops, starts, ends, or is of an earlier attempt has no endpoint', async (t) => {
  const base = sources(hostApp);
  t.equal(endpointOf({ ...base, placement: { ...base.placement, goal: 'stop' } }), undefined);
  const staging = testInstance(base.placement, { kind: 'staging', step: 'starting', since: 0 });
  t.equal(endpointOf({ ...base, instance: staging }), undefined, 'staging');
  t.equal(endpointOf({ ...base, placement: { ...base.placement, attempt: 2 } }), undefined, 'attempt');
});

t.test('an endpoint is ready when every health check passes', async (t) => {
  const app = testApp('/web', { ...hostApp, healthChecks: [tcpCheck] });
  const base = sources(app);
  const ready = (alive: boolean | null) => {
    const health = [alive === null ? null : { alive, consecutiveFailures: 0 }];
    return endpointOf({ ...base, instance: testInstance(base.placement, running({ health })) })?.ready;
  };
  t.same([ready(null), ready(false), ready(true)], [false, false, true]);
});
