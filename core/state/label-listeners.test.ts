import t from 'tap';
import type { HealthCheck } from '../model/health-check.ts';
import { readRouteLabels } from './route-labels.ts';
import { testApp } from './testing/apps.ts';

const group = { HAPROXY_GROUP: 'external' };

function read(labels: Readonly<Record<string, string>>, healthChecks: readonly HealthCheck[] = []) {
  const portDefinitions = [{ port: 10_001, protocol: 'tcp', labels: {} } as const];
  const { listeners, routes, faults } = readRouteLabels(
    testApp('/shop/db', {
      labels: { ...group, ...labels },
      portDefinitions,
      healthChecks: [...healthChecks],
    }),
  );
  return { listener: listeners[0], routes, faults };
}

t.test(
  'a service port of the group is open at its number, for TCP, while the app has an endpoint',
  async (t) => {
    t.same(read({}), {
      listener: {
        id: 'app:/shop/db:0',
        owner: 'app:/shop/db',
        port: 10_001,
        protocol: 'tcp',
        table: 'app:/shop/db:0',
        whileServed: { appId: '/shop/db', portIndex: 0 },
      },
      routes: [
        {
          id: 'app:/shop/db:0:port',
          owner: 'app:/shop/db',
          table: 'app:/shop/db:0',
          host: '*',
          pathPrefix: '/',
          service: { appId: '/shop/db', portIndex: 0 },
          backend: 'shop_db_10001',
        },
      ],
      faults: [],
    });
    t.equal(read({ HAPROXY_GROUP: 'internal' }).listener, undefined);
    t.equal(read({ HAPROXY_0_ENABLED: 'false' }).listener, undefined);
  },
);

for (const [what, labels, expected] of [
  ['another number', { HAPROXY_0_PORT: '5432' }, { port: 5432 }],
  ['a number that is none', { HAPROXY_0_PORT: '0' }, undefined],
  ['an address', { HAPROXY_0_BIND_ADDR: '10.0.0.1' }, { address: '10.0.0.1' }],
  ['every address', { HAPROXY_0_BIND_ADDR: '*' }, { address: '0.0.0.0' }],
  ['mode http', { HAPROXY_0_MODE: 'http' }, { protocol: 'http' }],
  ['a host', { HAPROXY_0_VHOST: 'a.test' }, { protocol: 'http' }],
  ['a host and mode tcp', { HAPROXY_0_VHOST: 'a.test', HAPROXY_0_MODE: 'tcp' }, { protocol: 'tcp' }],
  ['a certificate', { HAPROXY_0_MODE: 'http', HAPROXY_0_SSL_CERT: '/a.pem' }, { protocol: 'https' }],
  [
    'PROXY headers',
    { HAPROXY_0_BIND_OPTIONS: 'accept-proxy' },
    { options: { acceptProxy: ['0.0.0.0/0', '::/0'] } },
  ],
] as const)
  t.test(`a service port with ${what} is what the labels say`, async (t) => {
    if (expected === undefined) t.equal(read(labels).listener, undefined);
    else t.match(read(labels).listener, expected);
  });

t.test('redirects and HSTS are for the shared ports, all else counts on the own one too', async (t) => {
  const { routes } = read({
    HAPROXY_0_VHOST: 'a.test',
    HAPROXY_0_REDIRECT_TO_HTTPS: 'true',
    HAPROXY_0_USE_HSTS: 'true',
    HAPROXY_0_BALANCE: 'leastconn',
  });
  t.match(routes, [{ host: 'a.test', options: { redirectToHttps: true, hsts: true } }, { host: '*' }]);
  t.same(routes[1]?.options, { balance: 'least-requests' });
});

t.test('words of a bind line that nothing comes of are reported', async (t) => {
  t.match(read({ HAPROXY_0_BIND_OPTIONS: 'accept-proxy tfo' }).faults, [{ reason: /"tfo" is not among/ }]);
});
