import fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import type { PathCondition, Route, RouteOptions } from '../../../core/model/route.ts';
import { buildTable } from '../../edge/routes/route-table.ts';
import { askFor } from '../../edge/testing/echo.ts';
import { listener } from '../../edge/testing/listeners.ts';
import { directory, endpoint, route } from '../../edge/testing/peers.ts';
import { HaproxyEngine } from './haproxy.ts';

/** As the API lets them through (core/model/route-shapes.ts), with what is special to HAProxy more often. */
const special = [...` "'\\%#$[]{}(),;!<>|*?.^+~\`:@=&`];
const characters = (from: number, to: number) =>
  fc.oneof(
    fc.constantFrom(...special),
    fc.integer({ min: from, max: to }).map((code) => String.fromCharCode(code)),
  );
const texts = (pattern: RegExp, maxLength = 24) =>
  fc.string({ unit: characters(0x20, 0x7e).filter((one) => pattern.test(one)), minLength: 1, maxLength });
const path = texts(/[!"$->@-~]/).map((rest) => `/${rest}`);
const token = texts(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/, 12).map((text) => `x-${text}`);
const visible = texts(/[!-~]/);
const line = fc.string({
  unit: characters(0x20, 0xff).filter((one) => !/[\x7f-\x9f]/.test(one)),
  maxLength: 30,
});
const host = texts(/[a-z0-9]/, 8).map((name) => `${name}.test`);
const expression = fc
  .array(
    fc.constantFrom(
      'a',
      'b+',
      '[a-z]',
      '\\d{2}',
      '(x|y)',
      '.',
      '\\.',
      '^',
      '$',
      ' ',
      '"',
      "\\'",
      '%',
      '#',
      '\\{',
      '/',
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((pieces) => pieces.join(''));
const fields = fc.dictionary(token, visible, { maxKeys: 3 });
const address = fc.constantFrom('10.0.0.0/8', '::1', 'fd00::/8', '192.0.2.1');
const ms = fc.integer({ min: 1, max: 86_400_000 });
const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 });

const edits = fc.record({ remove: some(token), set: fields, add: fields }, { requiredKeys: [] });
const redirect = fc.record(
  {
    status: fc.constantFrom(301, 302, 303, 307, 308),
    scheme: fc.constantFrom('http', 'https'),
    host,
    port: fc.integer({ min: 1, max: 65_535 }),
    path,
    prefix: path,
  },
  { requiredKeys: ['status'] },
);
const options = fc.record(
  {
    ...{ allow: some(address), deny: some(address), redirect, rootTo: path },
    auth: fc.record({
      realm: texts(/[ !#-[\]-~]/),
      user: texts(/[!-9;-~]/),
      crypted: fc.constant('$5$saltstring$OH4IDuTlsuTYPdED1gsuiRMyTAwNlRWyA6Xr3I4/dQ5'),
    }),
    maintenance: fc.record(
      {
        ...{ text: line, contentType: line, retryAfterSeconds: ms, except: some(address) },
        status: fc.integer({ min: 200, max: 599 }),
      },
      { requiredKeys: [] },
    ),
    limits: fc.record(
      {
        ...{ perSecond: ms, burst: fc.integer({ min: 1, max: 1_000 }), concurrent: ms },
        ...{ clientPerSecond: ms, clientBurst: fc.integer({ min: 1, max: 1_000 }), clientConcurrent: ms },
      },
      { requiredKeys: [] },
    ),
    ...{
      stripPrefix: path,
      locationPrefix: path,
      rewriteHost: host,
      requestFields: edits,
      answerFields: edits,
    },
    rewriteLocation: fc.record({ from: path, to: path }),
    rewritePath: fc.oneof(
      fc.record({ prefix: path }),
      fc.record({ from: path, to: path }),
      fc.record({ regex: expression, with: path }),
    ),
    compress: fc.record({ types: some(fc.constantFrom('text/*', 'image/svg+xml', 'a/b.c-d')) }),
    balance: fc.constantFrom('round-robin', 'least-requests', 'two-choices', 'hash'),
    hashBy: fc.record({ from: fc.constantFrom('header', 'cookie', 'query', 'path', 'address'), name: token }),
    ...{ sticky: fc.constant(true), stickyCookie: token, sendProxy: fc.constantFrom('v1', 'v2') },
    retries: fc.record({
      attempts: fc.integer({ min: 0, max: 10 }),
      statuses: some(fc.integer({ min: 400, max: 599 })),
    }),
    timeouts: fc.record({ connectMs: ms, firstByteMs: ms, idleMs: ms }, { requiredKeys: [] }),
    check: fc.record({ path, timeoutMs: ms }, { requiredKeys: [] }),
    tls: fc.record({ insecure: fc.constant(true), serverName: host }),
  },
  { requiredKeys: [] },
);
const value = fc.oneof(
  fc.record({ name: visible, exact: line }),
  fc.record({ name: visible, regex: expression }),
  fc.record({ name: visible }),
);
const place: fc.Arbitrary<PathCondition> = fc.oneof(
  fc.record({ begins: path }),
  fc.record({ ends: visible }),
  fc.record({ like: expression }),
);
const conditions = fc.record(
  {
    ...{ methods: some(fc.constantFrom('GET', 'M-SEARCH')), headers: some(value), query: some(value) },
    ...{ hostLike: expression, paths: some(place) },
    unless: some(fc.record({ host, pathBegins: path }, { requiredKeys: [] })),
  },
  { requiredKeys: [] },
);

const routes = fc.record(
  { options, conditions, pathPrefix: path, pathKind: fc.constantFrom('exact', undefined), order: fc.nat(9) },
  { requiredKeys: ['options', 'pathPrefix'] },
);

t.test('HAProxy takes whatever routes may say, and every other route goes on', async (t) => {
  const warnings: string[] = [];
  const engine = new HaproxyEngine(
    { clock: systemClock, warn: (text) => warnings.push(text) },
    { httpPort: 0, stopMs: 100, slowStartMs: 0 },
  );
  await engine.start();
  t.teardown(() => engine.stop());
  await engine.open(listener('tcp'));
  const samples = fc.sample(routes, { numRuns: 400, seed: 20_261_122 });
  const all = samples.map((one, n) => routeOf(one, n));
  const streams = samples.slice(0, 100).map(({ options: said }, n): Route => {
    return { ...route({ host: `s${n}.test` }), id: `s${n}`, table: 'l4', options: said as RouteOptions };
  });
  await engine.apply(buildTable(directory(1, [endpoint({ port: 1 })], [...all, ...streams])));
  t.same(warnings, []);
  for (let n = 0; n < all.length; n += 20)
    t.ok((await askFor(engine.listening[0]!.port, { host: `f${n}.test` })).status >= 200);
});

function routeOf(sample: object, n: number): Route {
  return { ...route({ host: `f${n}.test` }), id: `f${n}`, ...sample };
}
