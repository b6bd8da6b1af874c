import type { Question } from './edge/testing/echo.ts';

/** `says`: `status`, `at` (which service), `target` (of what it got), `got FIELD` of its request, `body`, or a field of the answer. */
export type RouteCase = {
  readonly title: string;
  readonly routes: readonly object[];
  readonly asks: readonly (Question & {
    readonly says: Readonly<Record<string, string | number | RegExp | undefined>>;
  })[];
};

const one = { app: '/one' };
const two = { app: '/two' };
/** "secret" */
const crypted = '$5$saltstring$OH4IDuTlsuTYPdED1gsuiRMyTAwNlRWyA6Xr3I4/dQ5';

export const routeCases: readonly RouteCase[] = [
  {
    title: 'an exact host goes before the longest wildcard, that before any shorter one',
    routes: [
      { host: 'a.wild.test', ...one },
      { host: '*.b.wild.test', ...two },
      { host: '*.wild.test', ...one },
    ],
    asks: [
      { host: 'A.WILD.test:80', says: { at: 'one' } },
      { host: 'x.b.wild.test', says: { at: 'two' } },
      { host: 'x.y.b.wild.test.', says: { at: 'two' } },
      { host: 'x.wild.test', says: { at: 'one' } },
      { host: 'wild.test', says: { status: 404 } },
      { host: 'xwild.test', says: { status: 404 } },
    ],
  },
  {
    title: 'a host none of whose paths fits is asked again as its wildcard',
    routes: [
      { host: 'deep.fall.test', path: '/only', ...one },
      { host: '*.fall.test', ...two },
    ],
    asks: [
      { host: 'deep.fall.test', path: '/only/x', says: { at: 'one' } },
      { host: 'deep.fall.test', path: '/other', says: { at: 'two' } },
    ],
  },
  {
    title: 'an exact path goes before the longest prefix of whole segments, that before expressions',
    routes: [
      { host: 'path.test', ...one },
      { host: 'path.test', path: '/api', ...two },
      { host: 'path.test', path: '/api/deep', ...one },
      { host: 'path.test', path: '/api/exact', pathKind: 'exact', ...one },
      { host: 'slash.test', path: '/in/', ...two },
      { host: 'slash.test', ...one },
      { host: 'regex.test', path: '/v\\d+/[a-z]+', pathKind: 'regex', ...two },
      { host: 'regex.test', path: '/v1/all', ...one },
      { host: 'case.test', path: '/MiXed', ignoreCase: true, ...two },
      { host: 'begin.test', path: '/ap', pathKind: 'begins', ...two },
      { host: 'begin.test', path: '/api', ...one },
      { host: 'begin.test', path: '/apis/v1', pathKind: 'begins', ...one },
      { host: 'begins.test', path: '/Any', pathKind: 'begins', ignoreCase: true, ...two },
    ],
    asks: [
      { host: 'path.test', path: '/apix', says: { at: 'one' } },
      { host: 'path.test', path: '/api', says: { at: 'two' } },
      { host: 'path.test', path: '/api?q=/api/deep', says: { at: 'two' } },
      { host: 'path.test', path: '/api/deep/er', says: { at: 'one' } },
      { host: 'path.test', path: '/api/exact', says: { at: 'one' } },
      { host: 'path.test', path: '/api/exact/', says: { at: 'two' } },
      { host: 'path.test', path: '/x/../%61pi', says: { at: 'two', target: '/x/../%61pi' } },
      { host: 'slash.test', path: '/in', says: { at: 'one' } },
      { host: 'slash.test', path: '/in/', says: { at: 'two' } },
      { host: 'regex.test', path: '/v2/abc', says: { at: 'two' } },
      { host: 'regex.test', path: '/v1/all', says: { at: 'one' } },
      { host: 'regex.test', path: '/v2/abc/', says: { status: 404 } },
      { host: 'case.test', path: '/mIXED/x', says: { at: 'two' } },
      { host: 'begin.test', path: '/apple', says: { at: 'two' } },
      { host: 'begin.test', path: '/api/x', says: { at: 'one' } },
      { host: 'begin.test', path: '/apis', says: { at: 'two' } },
      { host: 'begin.test', path: '/apis/v12', says: { at: 'one' } },
      { host: 'begin.test', path: '/a', says: { status: 404 } },
      { host: 'begins.test', path: '/aNYthing', says: { at: 'two' } },
    ],
  },
  {
    title: 'methods, fields and parameters decide, more conditions first',
    routes: [
      { host: 'rule.test', ...one },
      { host: 'rule.test', methods: ['DELETE', 'PATCH'], ...two },
      { host: 'rule.test', headers: [{ name: 'X-Beta', exact: 'yes, really' }], ...two },
      { host: 'rule.test', path: '/re', headers: [{ name: 'x-v', regex: '[0-9]+' }], ...two },
      { host: 'rule.test', path: '/q', query: [{ name: 'v', exact: 'a b' }], ...two },
      { host: 'rule.test', path: '/none', headers: [{ name: 'cookie', absent: true }], ...two },
      { host: 'rule.test', path: '/there', headers: [{ name: 'x-there' }], ...two },
    ],
    asks: [
      { host: 'rule.test', says: { at: 'one' } },
      { host: 'rule.test', method: 'DELETE', says: { at: 'two' } },
      { host: 'rule.test', fields: { 'x-beta': 'yes, really' }, says: { at: 'two' } },
      { host: 'rule.test', fields: { 'x-beta': 'yes' }, says: { at: 'one' } },
      { host: 'rule.test', path: '/re', fields: { 'X-V': '12' }, says: { at: 'two' } },
      { host: 'rule.test', path: '/re', fields: { 'X-V': '12x' }, says: { at: 'one' } },
      { host: 'rule.test', path: '/q?v=a%20b', says: { at: 'two' } },
      { host: 'rule.test', path: '/q?v=c', says: { at: 'one' } },
      { host: 'rule.test', path: '/none', says: { at: 'two' } },
      { host: 'rule.test', path: '/none', fields: { cookie: 'a=b' }, says: { at: 'one' } },
      { host: 'rule.test', path: '/there', fields: { 'x-there': '1' }, says: { at: 'two' } },
    ],
  },
  {
    title: 'requests tell their service where they came from, and nobody else does',
    routes: [{ host: 'fwd.test', ...one }],
    asks: [
      {
        host: 'fwd.test',
        fields: {
          'X-Forwarded-For': '1.2.3.4',
          'X-Forwarded-Proto': 'https',
          Forwarded: 'for=1',
          TE: 'trailers',
        },
        says: {
          'got x-forwarded-for': '127.0.0.1',
          'got x-forwarded-proto': 'http',
          'got x-forwarded-host': 'fwd.test',
          'got forwarded': undefined,
          'got te': undefined,
          'got x-request-id': /./,
          'got via': /weir/,
          via: /weir/,
        },
      },
    ],
  },
  {
    title: 'paths and hosts are rewritten',
    routes: [
      { host: 'strip.test', path: '/in', stripPrefix: '/in', ...one },
      { host: 'prefix.test', path: '/old', rewritePath: { prefix: '/new/' }, ...one },
      { host: 'bytes.test', rewritePath: { from: '/nginx', to: '/sub' }, ...one },
      { host: 'plain.test', rewritePath: { from: '/nginx', to: '' }, ...one },
      { host: 'groups.test', rewritePath: { regex: '/(\\w+)/(\\w+)', with: '/$2/$1' }, ...one },
      { host: 'named.test', rewriteHost: 'inside.example', ...one },
    ],
    asks: [
      { host: 'strip.test', path: '/in/x?y=1', says: { target: '/x?y=1', 'got host': 'strip.test' } },
      { host: 'strip.test', path: '/in', says: { target: '/' } },
      { host: 'prefix.test', path: '/old/x', says: { target: '/new/x' } },
      { host: 'prefix.test', path: '/old', says: { target: '/new/' } },
      { host: 'bytes.test', path: '/nginxfoo', says: { target: '/subfoo' } },
      { host: 'bytes.test', path: '/other', says: { target: '/other' } },
      { host: 'plain.test', path: '/nginx/index.html', says: { target: '/index.html' } },
      { host: 'plain.test', path: '/nginx', says: { target: '/' } },
      { host: 'groups.test', path: '/a/b/c?d', says: { target: '/b/a/c?d' } },
      { host: 'named.test', says: { 'got host': 'inside.example', 'got x-forwarded-host': 'named.test' } },
    ],
  },
  {
    title: 'a Location that leads back is made the public one',
    routes: [
      { host: 'loc.test', path: '/pub', rewriteLocation: { from: '/in', to: '/pub' }, ...one },
      { host: 'rev.test', locationPrefix: '/pub', ...one },
    ],
    asks: [
      {
        host: 'loc.test',
        path: '/pub',
        fields: { 'x-answer': '302', 'x-place': 'http://loc.test/in/x?y' },
        says: { status: 302, location: '/pub/x?y' },
      },
      { host: 'loc.test', path: '/pub', fields: { 'x-place': '/in/x' }, says: { location: '/pub/x' } },
      {
        host: 'loc.test',
        path: '/pub',
        fields: { 'x-place': 'http://else.test/in/x' },
        says: { location: 'http://else.test/in/x' },
      },
      { host: 'rev.test', fields: { 'x-place': '/a' }, says: { location: '/pub/a' } },
      { host: 'rev.test', fields: { 'x-place': 'https://rev.test:81/a' }, says: { location: '/pub/a' } },
    ],
  },
  {
    title: 'fields are removed, set and added, whatever is in them',
    routes: [
      {
        host: 'field.test',
        requestFields: {
          remove: ['X-Gone'],
          set: { 'X-Set': `a "b" 'c' %[src] \\n #x; $HOME` },
          add: { 'X-Add': '100%' },
        },
        answerFields: { remove: ['X-Private'], set: { 'X-Out': '%[src] {x} "y"' } },
        ...one,
      },
    ],
    asks: [
      {
        host: 'field.test',
        fields: { 'X-Gone': '1', 'X-Set': 'theirs' },
        says: {
          'got x-gone': undefined,
          'got x-set': `a "b" 'c' %[src] \\n #x; $HOME`,
          'got x-add': '100%',
          'x-private': undefined,
          'x-out': '%[src] {x} "y"',
        },
      },
    ],
  },
  {
    title: 'redirects keep what they do not name',
    routes: [
      { host: 'to.test', redirect: { status: 308, host: 'there.test' } },
      { host: 'all.test', redirect: { status: 302, scheme: 'https', port: 8443, path: '/p' } },
      { host: 'pre.test', path: '/a', redirect: { status: 301, prefix: '/b' } },
      { host: 'safe.test', redirectToHttps: true, ...one },
      { host: 'root.test', rootTo: '/start', ...one },
    ],
    asks: [
      { host: 'to.test', path: '/x?y=%41', says: { status: 308, location: 'http://there.test/x?y=%41' } },
      { host: 'all.test:99', path: '/x?y', says: { status: 302, location: 'https://all.test:8443/p?y' } },
      { host: 'pre.test:99', path: '/a/c', says: { status: 301, location: 'http://pre.test:99/b/c' } },
      { host: 'pre.test', path: '/a', says: { location: 'http://pre.test/b' } },
      { host: 'safe.test', path: '/x?y', says: { status: 301, location: 'https://safe.test/x?y' } },
      { host: 'root.test', says: { status: 301, location: '/start' } },
      { host: 'root.test', path: '/x', says: { at: 'one' } },
    ],
  },
  {
    title: 'addresses, passwords and maintenance decide who gets in',
    routes: [
      { host: 'deny.test', deny: ['127.0.0.0/8'], ...one },
      { host: 'allow.test', allow: ['10.0.0.0/8', '127.0.0.1', '::1'], ...one },
      { host: 'other.test', allow: ['10.0.0.0/8'], ...one },
      { host: 'pass.test', auth: { realm: 'the house', user: 'joe', crypted }, ...one },
      {
        host: 'closed.test',
        maintenance: {
          status: 503,
          text: '<p>50% "done"</p>\n',
          contentType: 'text/html',
          retryAfterSeconds: 60,
        },
      },
      { host: 'spared.test', maintenance: { except: ['127.0.0.1'] }, ...one },
    ],
    asks: [
      { host: 'deny.test', says: { status: 403 } },
      { host: 'allow.test', says: { at: 'one' } },
      { host: 'other.test', says: { status: 403 } },
      { host: 'pass.test', says: { status: 401, 'www-authenticate': /^Basic realm="the house"/ } },
      {
        host: 'pass.test',
        fields: { Authorization: `Basic ${btoa('joe:wrong')}` },
        says: { status: 401 },
      },
      {
        host: 'closed.test',
        says: { status: 503, body: '<p>50% "done"</p>\n', 'content-type': 'text/html', 'retry-after': '60' },
      },
      { host: 'spared.test', says: { at: 'one' } },
    ],
  },
  {
    title: 'a route that may refuse also takes what its endpoint may read as its path',
    routes: [
      { host: 'odd.test', ...one },
      { host: 'odd.test', path: '/admin', deny: ['127.0.0.0/8'], ...two },
      { host: 'odd.test', path: '/free', ...two },
      { id: 'put', host: 'odd.test', path: '/put', methods: ['PUT'], deny: ['127.0.0.0/8'], ...two },
      { host: '*.maps.test', ...one },
      { host: '*.maps.test', path: '/admin', deny: ['127.0.0.0/8'], ...two },
      { host: 'maps.test', ...one },
      { host: 'maps.test', path: '/admin', deny: ['127.0.0.0/8'], ...two },
      { host: 'maps.test', path: '/free', ...two },
    ],
    asks: ['odd.test', 'maps.test', 'a.maps.test'].flatMap((host) => [
      ...[
        '//admin',
        '/x/..;/admin?q',
        '/admin;x/y',
        '/%2fadmin',
        '/free/..%2fadmin',
        '/\\admin',
        '/%2561dmin',
      ].map((path) => ({ host, path, says: { status: 403 } })),
      ...['/x/%c0%ae%C0%AE/admin', '/x%5c..%5Cadmin', '/admin%3Bx'].map((path) => ({
        host,
        path,
        says: { status: 403 },
      })),
      ...['/put', '//put', '/a%2Fb?c=%2f', '/x;y=1', '/a//b', '//adminx', '/admin%2f..', '//free'].map(
        (path) => ({
          host,
          path,
          says: { at: 'one', target: path },
        }),
      ),
      { host, path: '/admin/', says: { status: 403 } },
    ]),
  },
  {
    title: 'a changed path climbs nowhere',
    routes: [
      { host: 'climb.test', path: '/in', rewritePath: { from: '/in', to: '/' }, ...one },
      { host: 'strip.test', path: '/in', stripPrefix: '/in', ...one },
    ],
    asks: [
      { host: 'climb.test', path: '/in/x', says: { target: '/x' } },
      { host: 'climb.test', path: '/in/../in/x?q', says: { target: '/x?q' } },
      { host: 'climb.test', path: '/in/%2e%2e/in/x', says: { target: '/x' } },
      { host: 'strip.test', path: '/in/a/../b', says: { target: '/b' } },
    ],
  },
  {
    title: 'an idempotent request is sent again after a status that says so, another is not',
    routes: [{ host: 'retry.test', app: '/both', retries: { attempts: 3, statuses: [503] } }],
    asks: [
      { host: 'retry.test', path: '/flaky-at-one', says: { status: 200, at: 'two' } },
      { host: 'retry.test', path: '/flaky-at-one', says: { status: 200, at: 'two' } },
      { host: 'retry.test', path: '/flaky-at-two', says: { status: 200, at: 'one' } },
    ],
  },
];
