import t from 'tap';
import { labelRoutes, operatorRoute } from './routes.ts';
import { testApp } from './testing/apps.ts';

const port = { port: 0, protocol: 'tcp', labels: {} } as const;

function routes(labels: Readonly<Record<string, string>>, ports = 1) {
  const portDefinitions = Array.from({ length: ports }, () => port);
  return labelRoutes(testApp('/shop/web', { labels, portDefinitions }));
}

t.test('a virtual host label is a route to its port', async (t) => {
  t.same(routes({ HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'Shop.example.org' }), [
    {
      id: 'app:/shop/web:0:shop.example.org/',
      host: 'shop.example.org',
      pathPrefix: '/',
      service: { appId: '/shop/web', portIndex: 0 },
      owner: 'app:/shop/web',
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

t.test('only ports of the external group (or of all groups) are public', async (t) => {
  const host = { HAPROXY_0_VHOST: 'a', HAPROXY_1_VHOST: 'b' };
  const hosts = (labels: Readonly<Record<string, string>>) => routes(labels, 2).map((route) => route.host);
  t.same(hosts(host), []);
  t.same(hosts({ ...host, HAPROXY_GROUP: 'internal' }), []);
  t.same(hosts({ ...host, HAPROXY_GROUP: 'internal,external' }), ['a', 'b']);
  t.same(hosts({ ...host, HAPROXY_GROUP: '*' }), ['a', 'b']);
  t.same(hosts({ ...host, HAPROXY_GROUP: 'external', HAPROXY_1_GROUP: 'internal' }), ['a']);
  t.same(hosts({ ...host, HAPROXY_GROUP: 'external', HAPROXY_0_ENABLED: 'False' }), ['b']);
});

t.test('a label of a port the app does not have is no route', async (t) => {
  t.same(routes({ HAPROXY_GROUP: 'external', HAPROXY_3_VHOST: 'a' }), []);
});

t.test("an operator's route keeps its own name", async (t) => {
  const service = { appId: '/web', portIndex: 1 };
  t.same(operatorRoute({ id: 'r1', host: 'a', pathPrefix: '/x', service }), {
    id: 'route:r1',
    host: 'a',
    pathPrefix: '/x',
    service,
    owner: 'route:r1',
  });
});
