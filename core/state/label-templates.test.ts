import t from 'tap';
import type { HealthCheck } from '../model/health-check.ts';
import { readRouteLabels } from './route-labels.ts';
import { testApp } from './testing/apps.ts';

const check: HealthCheck = {
  protocol: 'HTTP',
  path: '/up',
  portIndex: 1,
  gracePeriodSeconds: 1,
  intervalSeconds: 7,
  timeoutSeconds: 3,
  maxConsecutiveFailures: 2,
  delaySeconds: 0,
};

function read(labels: Readonly<Record<string, string>>, healthChecks: readonly HealthCheck[] = []) {
  const portDefinitions = [0, 1].map(() => ({ port: 10_000, protocol: 'tcp', labels: {} }) as const);
  const base = { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'a' };
  const { routes, ...rest } = readRouteLabels(
    testApp('/shop/web', { labels: { ...base, ...labels }, portDefinitions, healthChecks }),
  );
  // Without those of service ports (label-listeners.test.ts).
  return { ...rest, routes: routes.filter(({ table }) => table === undefined) };
}

/** Without these their templates do nothing. */
const switched: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  BACKEND_HSTS_OPTIONS: { HAPROXY_0_USE_HSTS: 'yes' },
  BACKEND_STICKY_OPTIONS: { HAPROXY_0_STICKY: 'True' },
};

for (const [name, text, options] of [
  ['BACKEND_HEAD', 'backend {backend}\n  balance {balance}\n  mode {mode}\n', { balance: 'round-robin' }],
  [
    'BACKEND_HEAD',
    '  timeout server 90s\n  timeout connect 500',
    { timeouts: { firstByteMs: 90_000, idleMs: 90_000, connectMs: 500 } },
  ],
  ['BACKEND_HEAD', '  retries 2', { retries: { attempts: 2 } }],
  [
    'BACKEND_HTTP_OPTIONS',
    '  option forwardfor\n  http-request set-header X-Team {cleanedUpAppId}',
    { requestFields: { set: { 'X-Team': '_shop_web' } } },
  ],
  [
    'BACKEND_HTTP_OPTIONS',
    '  http-response del-header Server\n  http-response add-header X-A "b c"',
    { answerFields: { remove: ['Server'], add: { 'X-A': 'b c' } } },
  ],
  [
    'BACKEND_HSTS_OPTIONS',
    '  rspadd  Strict-Transport-Security:\\ max-age=60',
    { answerFields: { add: { 'Strict-Transport-Security': 'max-age=60' } } },
  ],
  ['BACKEND_STICKY_OPTIONS', '  cookie seat insert indirect nocache', { sticky: true, stickyCookie: 'seat' }],
  [
    'BACKEND_HTTP_HEALTHCHECK_OPTIONS',
    '  option httpchk GET /up\n  timeout check 2s',
    { check: { path: '/up', timeoutMs: 2_000 } },
  ],
  [
    'BACKEND_SERVER_HTTP_HEALTHCHECK_OPTIONS',
    'check inter 4s fall 5',
    { check: { intervalMs: 4_000, fall: 5 } },
  ],
  [
    'BACKEND_HTTP_HEALTHCHECK_OPTIONS',
    '  option  httpchk HEAD /up HTTP/1.1\\r\\nHost:\\ www.Shop.test\n',
    { check: { path: '/up', host: 'www.shop.test' } },
  ],
  [
    'BACKEND_HTTP_OPTIONS',
    '  http-request set-header Host inner.test\n  redirect scheme https code 301 if !{{ ssl_fc }}',
    { rewriteHost: 'inner.test', redirectToHttps: true },
  ],
  [
    'BACKEND_SERVER_HTTP_HEALTHCHECK_OPTIONS',
    'ssl verify none alpn h2',
    { tls: { insecure: true }, protocol: 'h2' },
  ],
  [
    'BACKEND_SERVER_OPTIONS',
    '  timeout connect 10s\n  server {serverName} {host_ipv4}:{port} check\n',
    { timeouts: { connectMs: 10_000 }, check: {} },
  ],
  ['BACKEND_TCP_HEALTHCHECK_OPTIONS', '  option tcp-check', { check: {} }],
  ['BACKEND_SERVER_TCP_HEALTHCHECK_OPTIONS', ' check rise 3', { check: { rise: 3 } }],
  ['BACKEND_SERVER_TCP_HEALTHCHECK_OPTIONS', 'proto h2', { protocol: 'h2c' }],
] as const)
  t.test(`the template ${name} with ${JSON.stringify(text)} shapes the route`, async (t) => {
    const { routes, faults } = read({ [`HAPROXY_0_${name}`]: text, ...switched[name] });
    t.same(routes[0]?.options, options);
    t.same(faults, []);
  });

t.test('templates of what is not switched on do nothing, and are told', async (t) => {
  for (const label of ['HAPROXY_0_BACKEND_STICKY_OPTIONS', 'HAPROXY_0_BACKEND_HSTS_OPTIONS']) {
    const { routes, faults } = read({ [label]: '  cookie seat insert' });
    t.equal(routes[0]?.options, undefined);
    t.match(faults, [{ label, effect: 'ignored', reason: /counts only with HAPROXY_0_.*=true/ }]);
  }
});

t.test('placeholders of health checks are filled in from the check of the port', async (t) => {
  const labels = {
    HAPROXY_0_BACKEND_HTTP_HEALTHCHECK_OPTIONS: '  option httpchk GET {healthCheckPath}\n',
    HAPROXY_0_BACKEND_SERVER_HTTP_HEALTHCHECK_OPTIONS:
      'check inter {healthCheckIntervalSeconds}s fall {healthCheckFalls}{healthCheckPortOptions}',
  };
  const { routes } = read(labels, [{ ...check, portIndex: 0 }]);
  t.same(routes[0]?.options, { check: { path: '/up', intervalMs: 7_000, fall: 3 } });
});

t.test('each line that the edge cannot carry out is named, the others count', async (t) => {
  const lines = [
    '  acl bad path_beg /x',
    '  http-request deny if bad',
    '  http-request set-header X-Now %[date]',
    '  http-request set-header Host other',
    '  timeout server soon',
    '  balance rdp-cookie',
    '  server {serverName}',
    '  timeout connect 1s',
  ];
  const { routes, faults } = read({ HAPROXY_0_BACKEND_HEAD: lines.join('\n') });
  t.same(routes[0]?.options, { timeouts: { connectMs: 1_000 }, rewriteHost: 'other' });
  t.equal(faults.length, 6);
  t.ok(faults.every(({ label, effect }) => label === 'HAPROXY_0_BACKEND_HEAD' && effect === 'ignored'));
  t.match(faults[0], { reason: '"acl bad path_beg /x" is not among what the edge can do' });
});

t.test('templates of other places, and labels of tools, are reported', async (t) => {
  for (const label of [
    'HAPROXY_0_FRONTEND_HEAD',
    'HAPROXY_0_HTTP_FRONTEND_ACL_WITH_PATH',
    'HAPROXY_0_BACKEND_SERVER_OPTIONS',
    'HAPROXY_0_BIND_OPTIONS',
    'HAPROXY_0_BIND_ADDR',
    'HAPROXY_0_SSL_CERT',
    'HAPROXY_DEPLOYMENT_GRUOP',
    'HAPROXY_2_VHOST',
  ]) {
    const { routes, faults } = read({ [label]: 'x' });
    t.equal(routes.length, 1, label);
    t.match(faults, [{ label, effect: 'ignored' }]);
  }
});

t.test('the check of another port is made of its health check', async (t) => {
  const labels = { HAPROXY_0_BACKEND_HEALTHCHECK_PORT_INDEX: '1' };
  t.same(read(labels, [check]).routes[0]?.options, {
    check: { portIndex: 1, path: '/up', intervalMs: 7_000, timeoutMs: 3_000, fall: 3 },
  });
  t.same(read(labels).routes[0]?.options, { check: { portIndex: 1 } });
});

t.test('a port whose health check is HTTP is served whatever its mode says', async (t) => {
  const labels = { HAPROXY_0_MODE: 'tcp' };
  t.equal(read(labels).routes.length, 0);
  t.equal(read(labels, [{ ...check, portIndex: 0 }]).routes.length, 1);
});

t.test('algorithms of HAProxy become ours', async (t) => {
  for (const [text, options] of [
    ['uri', { balance: 'hash', hashBy: { from: 'path' } }],
    ['hdr(X-User)', { balance: 'hash', hashBy: { from: 'header', name: 'X-User' } }],
    ['url_param user', { balance: 'hash', hashBy: { from: 'query', name: 'user' } }],
    ['random', { balance: 'two-choices' }],
    ['static-rr', { balance: 'round-robin' }],
  ] as const)
    t.same(read({ HAPROXY_0_BALANCE: text }).routes[0]?.options, options);
});
