import t from 'tap';
import { type Listener, sharePlace, tableOf } from './listener.ts';
import { readListener, renderListener } from './listener-definition.ts';

function faultsOf(definition: unknown): readonly string[] {
  const read = readListener(definition);
  return read.kind === 'listener' ? [] : read.faults.map(({ path, error }) => `${path} ${error}`);
}

const small = { name: 'db', port: 5432, protocol: 'tcp', app: '/shop/db' };

t.test('name, port, protocol and app are a whole definition', async (t) => {
  t.same(readListener(small), {
    kind: 'listener',
    listener: {
      name: 'db',
      port: 5432,
      protocol: 'tcp',
      route: {
        id: 'db',
        table: 'db',
        host: '*',
        pathPrefix: '/',
        service: { appId: '/shop/db', portIndex: 0 },
      },
    },
  });
});

for (const definition of [
  { ...small, portIndex: 0, balance: 'least-requests', allow: ['10.0.0.0/8'], idleMs: 5_000 },
  { name: 'web', address: '::', port: 0, protocol: 'http', acceptProxy: ['10.0.0.0/8'], maxConnections: 9 },
  { name: 'tls', port: 443, protocol: 'https', table: 'shop', minTls: '1.3', certificates: ['a', 'b'] },
  { name: 'own', port: 81, protocol: 'http', app: '/web', portIndex: 1, upstream: 'h2c' },
  { name: 'sni', port: 444, protocol: 'tls-passthrough' },
])
  t.test(`a definition with ${Object.keys(definition)} is rendered back as it was`, async (t) => {
    const read = readListener(definition);
    t.same(faultsOf(definition), []);
    t.same(read.kind === 'listener' && renderListener(read.listener), definition);
  });

for (const [what, more, path] of [
  ['a port that is none', { port: 70_000 }, '/port must be'],
  ['a name as an address', { address: 'localhost' }, '/address must be an IP address'],
  ['a minimum of TLS without TLS', { minTls: '1.3' }, ' can have minTls'],
  ['something unknown', { colour: 1 }, '/colour is not known'],
  ['PROXY headers over UDP', { protocol: 'udp', acceptProxy: ['::1'] }, ' cannot have acceptProxy'],
  ['options of a route without an app', { app: undefined, balance: 'hash' }, '/app is missing'],
] as const)
  t.test(`a definition with ${what} is refused there`, async (t) => {
    t.equal(faultsOf({ ...small, ...more })[0]?.slice(0, path.length), path);
  });

t.test('http and https share the common routes, others have their own', async (t) => {
  t.equal(tableOf({ id: 'a', protocol: 'http' }), undefined);
  t.equal(tableOf({ id: 'a', protocol: 'https', table: 'b' }), 'b');
  t.equal(tableOf({ id: 'a', protocol: 'udp' }), 'a');
});

t.test('a place is shared by those whose addresses overlap on one port of one transport', async (t) => {
  const one: Listener = { id: 'a', owner: 'a', port: 53, protocol: 'tcp', address: '10.0.0.1' };
  t.ok(sharePlace(one, { ...one, protocol: 'http', address: '0.0.0.0' }));
  t.ok(sharePlace(one, { id: 'b', owner: 'b', port: 53, protocol: 'tcp' }));
  t.notOk(sharePlace(one, { ...one, address: '10.0.0.2' }));
  t.notOk(sharePlace(one, { ...one, protocol: 'udp' }));
  t.notOk(sharePlace({ ...one, port: 0 }, { ...one, port: 0 }));
});
