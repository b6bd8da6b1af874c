import t from 'tap';
import { type RouteLabels, readRouteLabels } from './route-labels.ts';
import { testApp } from './testing/apps.ts';

const port = { port: 0, protocol: 'tcp', labels: {} } as const;

function routes(labels: Readonly<Record<string, string>>, ports = 1) {
  return read(labels, ports).routes;
}

/** Without those of service ports (label-listeners.test.ts). */
function ofHosts({ routes: all, ...rest }: RouteLabels): RouteLabels {
  return { ...rest, routes: all.filter(({ table }) => table === undefined) };
}

function read(labels: Readonly<Record<string, string>>, ports = 1) {
  const portDefinitions = Array.from({ length: ports }, () => port);
  return ofHosts(readRouteLabels(testApp('/shop/web', { labels, portDefinitions })));
}

t.test('a virtual host label is a route to its port', async (t) => {
  t.same(routes({ HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'Shop.example.org' }), [
    {
      id: 'app:/shop/web:0:shop.example.org/',
      host: 'shop.example.org',
      pathPrefix: '/',
      service: { appId: '/shop/web', portIndex: 0 },
      owner: 'app:/shop/web',
      backend: 'shop_web_0',
    },
  ]);
});

t.test('hosts are separated by commas and paths by spaces, each pair a route', async (t) => {
  const found = routes({
    HAPROXY_GROUP: 'external',
    HAPROXY_0_VHOST: 'a.example.org, b.example.org',
    HAPROXY_0_PATH: '/one /two',
  });
  t.same(
    found.map((route) => route.host + route.pathPrefix),
    ['a.example.org/one', 'a.example.org/two', 'b.example.org/one', 'b.example.org/two'],
  );
});

t.test(
  'only ports of a group that edges serve are public; a word of a port replaces that of the app',
  async (t) => {
    const host = { HAPROXY_0_VHOST: 'a', HAPROXY_1_VHOST: 'b' };
    const hosts = (labels: Readonly<Record<string, string>>) => routes(labels, 2).map((route) => route.host);
    t.same(hosts(host), []);
    t.same(hosts({ ...host, HAPROXY_GROUP: 'internal' }), []);
    t.same(hosts({ ...host, HAPROXY_GROUP: 'internal,external' }), ['a', 'b']);
    t.same(hosts({ ...host, HAPROXY_GROUP: '*' }), []);
    t.same(hosts({ ...host, HAPROXY_GROUP: 'external', HAPROXY_1_GROUP: 'internal' }), ['a']);
    t.same(hosts({ ...host, HAPROXY_GROUP: 'external', HAPROXY_0_ENABLED: 'False' }), ['b']);
  },
);

t.test('a label of a port the app does not have is no route', async (t) => {
  t.same(routes({ HAPROXY_GROUP: 'external', HAPROXY_3_VHOST: 'a' }), []);
});

const base = { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'a' };

function options(labels: Readonly<Record<string, string>>) {
  return routes({ ...base, ...labels })[0]?.options;
}

t.test('a path list that begins with -i is compared without regard to case', async (t) => {
  const found = routes({ ...base, HAPROXY_0_PATH: '-i /One /two' });
  t.match(found, [
    { pathPrefix: '/One', pathKind: 'begins', ignoreCase: true },
    { pathPrefix: '/two', ignoreCase: true },
  ]);
  t.notOk('ignoreCase' in (routes({ ...base, HAPROXY_0_PATH: '/one' })[0] ?? {}));
});

t.test('hosts may name a port, which is not compared; what can be no host is told', async (t) => {
  const { routes, faults } = read({
    HAPROXY_GROUP: 'external',
    HAPROXY_0_VHOST: 'Pre:9000, pre,<your host>,10.0.0.1',
  });
  t.same(
    routes.map(({ host }) => host),
    ['pre', '10.0.0.1'],
  );
  t.match(faults, [{ label: 'HAPROXY_0_VHOST', effect: 'ignored', reason: /"<your host>"/ }]);
});

t.test('a path that none begins with takes nothing, and is told', async (t) => {
  const { routes, faults } = read({ ...base, HAPROXY_0_PATH: '-i api' });
  t.same(routes, [], 'it must not become all of the host');
  t.match(faults, [{ label: 'HAPROXY_0_PATH', effect: 'ignored', reason: /"api"/ }]);
  t.match(read({ ...base, HAPROXY_0_PATH: '/a b' }), { routes: [{ pathPrefix: '/a' }], faults: [{}] });
  const whole = read({ ...base, HAPROXY_0_PATH: '-i /' });
  t.match(whole, { routes: [{ pathPrefix: '/' }], faults: [] });
});

t.test('each label that shapes requests or answers becomes an option of the route', async (t) => {
  t.equal(options({}), undefined);
  t.same(options({ HAPROXY_0_REDIRECT_TO_HTTPS: 'true' }), { redirectToHttps: true });
  t.same(options({ HAPROXY_0_USE_HSTS: 'True' }), { hsts: true });
  t.same(options({ HAPROXY_0_STICKY: 'true' }), { sticky: true });
  t.same(options({ HAPROXY_0_STICKY: 'false' }), undefined);
  t.same(options({ HAPROXY_0_BALANCE: 'leastconn' }), { balance: 'least-requests' });
  t.same(options({ HAPROXY_0_BALANCE: 'source' }), { balance: 'hash' });
  t.same(options({ HAPROXY_0_BALANCE: 'roundrobin' }), { balance: 'round-robin' });
  t.same(options({ HAPROXY_0_HTTP_BACKEND_PROXYPASS_PATH: '/in' }), { stripPrefix: '/in' });
  t.same(options({ HAPROXY_0_HTTP_BACKEND_REVPROXY_PATH: '/out' }), { locationPrefix: '/out' });
  t.same(options({ HAPROXY_0_HTTP_BACKEND_REDIR: '/home' }), { rootTo: '/home' });
  t.same(options({ HAPROXY_0_BACKEND_NETWORK_ALLOWED_ACL: '10.0.0.0/8 ::1' }), {
    allow: ['10.0.0.0/8', '::1'],
  });
  const crypted = `$6$rounds=9999$salt$${'x'.repeat(86)}`;
  t.same(options({ HAPROXY_0_AUTH: `my realm:ann:${crypted}` }), {
    auth: { realm: 'my realm', user: 'ann', crypted },
  });
  t.equal(routes({ ...base, HAPROXY_0_BACKEND_WEIGHT: '7' })[0]?.weight, 7);
});

t.test('a label that restricts and cannot be obeyed closes its port and says why', async (t) => {
  for (const [name, value] of [
    ['AUTH', 'realm:user:$6$x'],
    ['AUTH', `realm:user:$1$salt$${'x'.repeat(22)}`],
    ['AUTH', 'realm:user:plain'],
    ['AUTH', `a"b:user:$5$salt$${'x'.repeat(43)}`],
    ['BACKEND_NETWORK_ALLOWED_ACL', '10.0.0.0/33'],
    ['BACKEND_NETWORK_ALLOWED_ACL', 'localhost'],
    ['HTTP_BACKEND_REDIR', 'no/slash'],
    ['HTTP_BACKEND_PROXYPASS_PATH', '/a b'],
    ['HTTP_BACKEND_REVPROXY_PATH', '/a\r\nX: y'],
  ] as const) {
    const { routes, faults } = read({ ...base, [`HAPROXY_0_${name}`]: value, HAPROXY_1_VHOST: 'b' }, 2);
    t.same(
      routes.map(({ host }) => host),
      ['b'],
      name,
    );
    t.match(faults, [{ label: `HAPROXY_0_${name}`, effect: 'no route', reason: /./ }]);
  }
});

t.test('a label that is not understood is named, and the route is there without it', async (t) => {
  for (const name of ['BACKEND_HEAD', 'BIND_OPTIONS', 'TYPO', 'constructor']) {
    const { routes, faults } = read({ ...base, [`HAPROXY_0_${name}`]: '1' });
    t.equal(routes.length, 1);
    t.match(faults, [{ label: `HAPROXY_0_${name}`, effect: 'ignored' }]);
  }
  t.match(read({ ...base, HAPROXY_0_BALANCE: 'rdp-cookie' }).faults, [{ effect: 'ignored' }]);
  t.same(read(base).faults, []);
});
