import t from 'tap';
import { readRoute, renderRoute } from './route-definition.ts';

function faultsOf(definition: unknown): readonly string[] {
  const read = readRoute(definition);
  return read.kind === 'route' ? [] : read.faults.map(({ path, error }) => `${path} ${error}`);
}

const small = { host: 'Shop.example.org', app: '/shop/web' };

t.test('a host and an app are a whole definition', async (t) => {
  t.same(readRoute(small), {
    kind: 'route',
    route: {
      id: 'shop.example.org',
      host: 'shop.example.org',
      pathPrefix: '/',
      service: { appId: '/shop/web', portIndex: 0 },
    },
  });
});

t.test('a route that says everything is read and rendered back as it was', async (t) => {
  const definition = {
    id: 'all',
    host: '*.example.org',
    path: '/v[0-9]+/.*',
    pathKind: 'regex',
    ignoreCase: true,
    methods: ['GET', 'HEAD'],
    headers: [
      { name: 'X-Beta', exact: '1' },
      { name: 'X-Old', absent: true },
    ],
    query: [{ name: 'v', regex: '[0-9]+' }],
    weight: 5,
    app: '/shop/web',
    portIndex: 1,
    allow: ['10.0.0.0/8', '::1'],
    deny: ['10.1.2.3'],
    auth: { realm: 'Shop', user: 'ann', crypted: `$6$salt$${'x'.repeat(86)}` },
    limits: { perSecond: 10, clientConcurrent: 2 },
    redirectToHttps: true,
    hsts: true,
    rewritePath: { regex: '/v([0-9]+)/', with: '/$1/' },
    rewriteHost: 'inner.example',
    requestFields: { set: { 'X-Team': 'shop' }, remove: ['Cookie'] },
    answerFields: { add: { 'X-Frame-Options': 'DENY' } },
    compress: { types: ['text/*'], minBytes: 100 },
    ownShare: 90,
    balance: 'hash',
    hashBy: { from: 'header', name: 'X-User' },
    sticky: true,
    stickyCookie: 'seat',
    retries: { attempts: 2, statuses: [502, 503], budgetPercent: 10 },
    timeouts: { connectMs: 500, totalMs: 5000 },
    check: { path: '/health', intervalMs: 1000, panicPercent: 50 },
    split: [{ app: '/shop/canary', portIndex: 0, share: 10 }],
    mirror: { app: '/shop/shadow', portIndex: 0, percent: 5 },
    forwardAuth: { service: { app: '/auth', portIndex: 0 }, path: '/ask', copy: ['X-User'] },
  };
  const read = readRoute(definition);
  t.same(faultsOf(definition), []);
  t.same(read.kind === 'route' && renderRoute(read.route), definition);
});

t.test('every fault is named with its place, all of them together', async (t) => {
  t.same(
    faultsOf({
      host: 'a b',
      app: 'web',
      limits: { perSecond: 0, speed: 1 },
      allow: ['10.0.0.0/99'],
      color: 1,
    }),
    [
      `/color is not known here; known are ${knownNames()}`,
      '/host must be a host name, one that begins with *., or *',
      '/app must be the id of an app, such as /shop/web',
      '/allow/0 must be an address or a range such as 10.0.0.0/8',
      '/limits/speed is not known here; known are perSecond, burst, concurrent, clientPerSecond, clientBurst, clientConcurrent',
      '/limits/perSecond must be a whole number from 1 to 1000000000',
    ],
  );
});

function knownNames(): string {
  return /known are (.*)/.exec(faultsOf({ ...small, color: 1 })[0] ?? '')?.[1] ?? '';
}

for (const [what, more, path] of [
  ['an expression that is none', { path: '(', pathKind: 'regex' }, '/path'],
  ['a look-behind, which RE2 has not', { headers: [{ name: 'a', regex: '(?<=x)y' }] }, '/headers/0'],
  [
    'a line end in a field',
    { answerFields: { set: { 'X-A': 'a\r\nSet-Cookie: b' } } },
    '/answerFields/set/X-A',
  ],
  ['a field of the framing', { requestFields: { remove: ['Content-Length'] } }, '/requestFields/remove/0'],
  ['a group that is not there', { rewritePath: { regex: '/a', with: '/$1' } }, '/rewritePath'],
  ['a query in a path', { path: '/a?b' }, '/path'],
  ['two comparisons at once', { query: [{ name: 'a', exact: 'b', absent: true }] }, '/query/0'],
  ['a hash by a header without its name', { hashBy: { from: 'header' } }, '/hashBy'],
] as const)
  t.test(`a definition with ${what} is refused there`, async (t) => {
    t.match(faultsOf({ ...small, ...more })[0], path);
  });

t.test('only what answers by itself needs no app', async (t) => {
  t.match(faultsOf({ host: 'a.example' })[0], '/app is missing');
  t.same(faultsOf({ host: 'a.example', redirect: { status: 308, host: 'b.example' } }), []);
  t.same(faultsOf({ host: 'a.example', maintenance: {} }), []);
});
