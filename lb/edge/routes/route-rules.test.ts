import t, { type Test } from 'tap';
import type { Route } from '../../../core/model/route.ts';
import {
  answerEach,
  directory,
  endpoint,
  RecordingBackend,
  rawClient,
  route,
  serveWith,
} from '../testing/peers.ts';
import { comparablePath } from './comparable-path.ts';
import { matchPath } from './match.ts';
import { buildTable } from './route-table.ts';

type Rule = Partial<Route> & { readonly id: string };

/** An engine with these rules, each answered by a backend of its own that says the rule's id. */
async function served(t: Test, rules: readonly Rule[]) {
  const { engine, port } = await serveWith(t, []);
  const backends = rules.map(({ id }) => new RecordingBackend(answerEach(`[${id}]`)));
  t.teardown(async () => {
    await Promise.all(backends.map((backend) => backend.stop()));
  });
  const ports = await Promise.all(backends.map((backend) => backend.start()));
  const endpoints = rules.map(({ id }, n) => endpoint({ app: `/${id}`, port: ports[n] ?? 0 }));
  const routes = rules.map((rule) => ({ ...route({ app: `/${rule.id}` }), ...rule }));
  await engine.apply(buildTable(directory(2, endpoints, routes)));
  return async (line: string, fields = '', host = 'web.test') => {
    const client = await rawClient(port);
    client.send(`${line} HTTP/1.1\r\nHost: ${host}\r\n${fields}Connection: close\r\n\r\n`);
    await client.ended.until((ended) => ended);
    client.socket.destroy();
    return /\[(.*)\]/.exec(client.text.value)?.[1] ?? client.text.value.slice(9, 12);
  };
}

t.test(
  'an exact path goes before the longest prefix, that before an expression, that before no path',
  async (t) => {
    const ask = await served(t, [
      { id: 'none' },
      { id: 'regex', pathPrefix: '/a.*', pathKind: 'regex' },
      { id: 'short', pathPrefix: '/api' },
      { id: 'long', pathPrefix: '/api/v2' },
      { id: 'exact', pathPrefix: '/api/v2/x', pathKind: 'exact' },
    ]);
    t.equal(await ask('GET /api/v2/x?q'), 'exact');
    t.equal(await ask('GET /api/v2/x/y'), 'long');
    t.equal(await ask('GET /api/v3'), 'short');
    t.equal(await ask('GET /about'), 'regex');
    t.equal(await ask('GET /b/a'), 'none', 'an expression is about the whole path');
  },
);

t.test('methods, fields and parameters all have to hold; more of them go first', async (t) => {
  const ask = await served(t, [
    { id: 'plain' },
    { id: 'read', conditions: { methods: ['GET', 'HEAD'] } },
    { id: 'beta', conditions: { methods: ['GET'], headers: [{ name: 'X-Beta', exact: 'yes' }] } },
    {
      id: 'both',
      conditions: {
        methods: ['GET'],
        headers: [{ name: 'x-beta' }],
        query: [{ name: 'v', regex: '[0-9]+' }],
      },
    },
    { id: 'bare', pathPrefix: '/bare', conditions: { headers: [{ name: 'Cookie', absent: true }] } },
  ]);
  t.equal(await ask('DELETE /'), 'plain');
  t.equal(await ask('GET /'), 'read');
  t.equal(await ask('GET /', 'x-BETA: yes\r\n'), 'beta');
  t.equal(await ask('GET /', 'X-Beta: no\r\n'), 'read');
  t.equal(await ask('GET /?v=12', 'X-Beta: no\r\n'), 'both');
  t.equal(await ask('GET /?v=1a', 'X-Beta: no\r\n'), 'read');
  t.equal(await ask('GET /bare'), 'bare');
  t.equal(await ask('GET /bare', 'Cookie: a=b\r\n'), 'read');
});

t.test('a host without a fitting rule falls back to a wider one', async (t) => {
  const ask = await served(t, [
    { id: 'exact', pathPrefix: '/only' },
    { id: 'wild', host: '*.test' },
    { id: 'any', host: '*' },
  ]);
  t.equal(await ask('GET /only'), 'exact');
  t.equal(await ask('GET /else'), 'wild');
  t.equal(await ask('GET /', '', 'a.example'), 'any');
});

t.test('many paths of one host are found as few are', async (t) => {
  const few = ['/', '/a', '/a/', '/a/b', '/A/c'].map((pathPrefix) =>
    route({ id: `p${pathPrefix}`, pathPrefix }),
  );
  const special = [
    { ...route({ id: 'insensitive', pathPrefix: '/I' }), ignoreCase: true as const },
    { ...route({ id: 'exact', pathPrefix: '/a/b/c' }), pathKind: 'exact' as const },
    { ...route({ id: 'regex', pathPrefix: '/r[0-9]+' }), pathKind: 'regex' as const },
    { ...route({ id: 'begins', pathPrefix: '/a/b' }), pathKind: 'begins' as const },
    { ...route({ id: 'longer', pathPrefix: '/a/bcd/' }), pathKind: 'begins' as const },
    { ...route({ id: 'word', pathPrefix: '/WORD' }), pathKind: 'begins' as const, ignoreCase: true as const },
  ];
  const filler = Array.from({ length: 500 }, (_, n) => route({ pathPrefix: `/filler/${n}` }));
  const [small, large] = [
    [...few, ...special],
    [...few, ...special, ...filler],
  ].map((routes) => buildTable(directory(1, [], routes)));
  const paths = [
    '/',
    '/a',
    '/a/',
    '/a/x',
    '/ax',
    '/a/b',
    '/a/b/c',
    '/a/b/c/d',
    '/A/c',
    '/a/c',
    '/i/x',
    '/r12',
    '/r',
    '/x/y/',
    '/a/bc',
    '/a/bcd/e',
    '/wordy',
    '/a/B',
  ];
  for (const path of paths)
    t.equal(matchPath(large!, 'web.test', path)?.id, matchPath(small!, 'web.test', path)?.id, path);
  for (const [path, id] of [
    ['/a/bc', 'begins'],
    ['/a/bcd/e', 'longer'],
    ['/a/b/x', 'p/a/b'],
    ['/wordy', 'word'],
  ] as const)
    t.equal(matchPath(large!, 'web.test', path)?.id, id, path);
  t.equal(matchPath(large!, 'web.test', '/filler/77/x')?.id, 'web.test/filler/77/web');
});

t.test('a path that an endpoint reads as another is routed as that other', async (t) => {
  for (const [given, read] of [
    ['/open/../admin', '/admin'],
    ['/%61dmin', '/admin'],
    ['/open/%2e%2E/admin/', '/admin/'],
    ['/a/./b/.', '/a/b/'],
    ['/../..', '/'],
    ['/a%2Fb', '/a%2Fb'],
    ['/.well-known/x', '/.well-known/x'],
  ] as const)
    t.equal(comparablePath(given), read, given);
  const ask = await served(t, [{ id: 'open' }, { id: 'admin', pathPrefix: '/admin' }]);
  t.equal(await ask('GET /x/../admin'), 'admin');
});

t.test('a route that restricts also takes what its endpoint may read as its path', async (t) => {
  const options = { deny: ['0.0.0.0/0'] };
  const ask = await served(t, [
    { id: 'open' },
    { id: 'admin', pathPrefix: '/admin', options },
    { id: 'free', pathPrefix: '/free' },
    { id: 'put', pathPrefix: '/put', conditions: { methods: ['PUT'] }, options },
  ]);
  for (const path of ['//admin', '/x/..;/admin?q', '/admin;x/y', '/%2fadmin', '/free/..%2fadmin', '/\\admin'])
    t.equal(await ask(`GET ${path}`), '403', path);
  t.equal(await ask('PUT //put'), '403', 'its conditions hold');
  for (const path of ['//put', '/a%2Fb', '/x;y=1', '/a//b', '//adminx', '/admin%2f..'])
    t.equal(await ask(`GET ${path}`), 'open', path);
  t.equal(await ask('GET //free'), 'open', 'a route that restricts nobody takes what is written as its own');
});

t.test('an expression takes time in proportion to the path', async (t) => {
  const table = buildTable(directory(1, [], [{ ...route({ pathPrefix: '/(a+)+b' }), pathKind: 'regex' }]));
  const startedAt = performance.now();
  t.equal(matchPath(table, 'web.test', `/${'a'.repeat(8_000)}`), undefined);
  t.ok(performance.now() - startedAt < 2_000, 'a backtracking matcher would not end');
});

t.test('a route that cannot be carried out says so, and stands in nobody’s way', async (t) => {
  const ask = await served(t, [
    { id: 'wide' },
    { id: 'bad', pathPrefix: '/bad', options: { allow: ['not an address'] } },
    { id: 'good', pathPrefix: '/good' },
    { id: 'broken', conditions: { headers: [{ name: 'a', regex: '(' }] } },
  ]);
  t.equal(await ask('GET /good'), 'good');
  t.equal(await ask('GET /', 'a: (\r\n'), 'wide');
  t.equal(await ask('GET /bad'), '503', 'it restricted somebody: the wider route must not serve them');
});
