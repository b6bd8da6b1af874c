import t from 'tap';
import type { App } from '../core/model/app.ts';
import type { HealthCheck } from '../core/model/health-check.ts';
import type { Placement } from '../core/model/placement.ts';
import { type ProbedInstance, probeTarget } from './probe-target.ts';

const mapping = { servicePort: 0, protocol: 'tcp' as const, labels: {}, networkNames: [] };

const onNetworks: ProbedInstance = {
  app: {
    networks: [
      { mode: 'container', name: 'a' },
      { mode: 'container', name: 'b' },
    ],
    container: {
      type: 'MESOS',
      volumes: [],
      portMappings: [
        { ...mapping, containerPort: 8080 },
        { ...mapping, containerPort: 9090, networkNames: ['b'] },
      ],
    },
  } as unknown as App,
  placement: { hostPorts: [null, 31002], containerPorts: [8080, 9090] } as unknown as Placement,
  addresses: [
    { network: 'a', ip: '100.64.0.5' },
    { network: 'b', ip: '100.65.0.5' },
  ],
  hostAddress: '127.0.0.9',
};

const onHost: ProbedInstance = {
  app: { networks: [{ mode: 'host' }] } as unknown as App,
  placement: { hostPorts: [31001], containerPorts: [null] } as unknown as Placement,
  addresses: [],
  hostAddress: '127.0.0.9',
};

t.test('a check of a container goes to its own address and container port', async (t) => {
  t.same(probeTarget(check({ protocol: 'MESOS_HTTP', path: '/up' }), onNetworks), {
    kind: 'http',
    tls: false,
    host: '100.64.0.5',
    port: 8080,
    path: '/up',
  });
});

t.test('a check by IPv6 goes to an address of that family, or says that there is none', async (t) => {
  const ipv6 = check({ protocol: 'MESOS_TCP', ipProtocol: 'IPv6' });
  t.match(probeTarget(ipv6, onNetworks), { kind: 'none', cause: /no IPv6 address/ });
  const both = { ...onNetworks, addresses: [...onNetworks.addresses, { network: 'b', ip: 'fd00::5' }] };
  t.same(probeTarget(ipv6, both), { kind: 'tcp', host: 'fd00::5', port: 8080 });
  t.match(probeTarget(check({ protocol: 'MESOS_TCP' }), both), { host: '100.64.0.5' });
  t.match(probeTarget(ipv6, onHost), { kind: 'tcp', host: '::1', port: 31001 });
});

t.test('a check of a port that is mapped to one network goes to the address there', async (t) => {
  t.same(probeTarget(check({ protocol: 'TCP', portIndex: 1 }), onNetworks), {
    kind: 'tcp',
    host: '100.65.0.5',
    port: 9090,
  });
});

t.test('a check of a port number goes there', async (t) => {
  t.match(probeTarget(check({ protocol: 'MESOS_TCP', port: 7000 }), onNetworks), {
    host: '100.64.0.5',
    port: 7000,
  });
  t.match(probeTarget(check({ protocol: 'MESOS_TCP', port: 7000 }), onHost), {
    host: '127.0.0.1',
    port: 7000,
  });
});

t.test('a check in host mode goes to the host port, locally for the kinds of the node', async (t) => {
  t.match(probeTarget(check({ protocol: 'MESOS_HTTPS' }), onHost), {
    tls: true,
    host: '127.0.0.1',
    port: 31001,
  });
  t.match(probeTarget(check({ protocol: 'HTTP' }), onHost), {
    tls: false,
    host: '127.0.0.9',
    port: 31001,
    path: '/',
  });
});

t.test('a check without its port has no target', async (t) => {
  t.match(probeTarget(check({ protocol: 'HTTP', portIndex: 5 }), onHost), { kind: 'none', cause: /index 5/ });
  t.match(probeTarget(check({ protocol: 'TCP' }), { ...onNetworks, addresses: [] }), { kind: 'none' });
});

t.test('a COMMAND check is its line in a shell', async (t) => {
  const command = check({ protocol: 'COMMAND', command: { value: 'test -f /up' } });
  t.same(probeTarget(command, onHost), { kind: 'command', argv: ['/bin/sh', '-c', 'test -f /up'] });
});

function check(some: Partial<HealthCheck> & { protocol: HealthCheck['protocol'] }): HealthCheck {
  return {
    gracePeriodSeconds: 300,
    intervalSeconds: 60,
    timeoutSeconds: 20,
    maxConsecutiveFailures: 3,
    delaySeconds: 15,
    ...some,
  };
}
