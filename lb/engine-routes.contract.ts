import t, { type Test } from 'tap';
import { readRoute } from '../core/model/route-definition.ts';
import { buildTable } from './edge/routes/route-table.ts';
import { answerEcho, askFor, fieldOf, type Question, type Told } from './edge/testing/echo.ts';
import { directory, endpoint, RecordingBackend } from './edge/testing/peers.ts';
import type { IngressEngine } from './engine.ts';
import { type RouteCase, routeCases } from './engine-route-cases.ts';

export type RouteContractOptions = {
  /** Names of cases that the engine declares not to do: the reason it reports for their routes. */
  readonly lacks?: ReadonlyMap<string, RegExp>;
};

/** What every engine does with the rules and options of routes; all cases are in one table, each under a host of its own. */
export function testRouteContract(
  name: string,
  create: () => IngressEngine,
  { lacks = new Map() }: RouteContractOptions = {},
): void {
  t.test(`${name} carries out every rule and option of routes`, async (t) => {
    const { port } = await setUp(t, create());
    for (const one of routeCases) {
      if (lacks.has(one.title)) continue;
      await t.test(`${name}: ${one.title}`, (t) => checkCase(t, port, one));
    }
    await t.test(`${name} keeps a client with its endpoint by a cookie`, (t) => sticks(t, port));
    await t.test(`${name} divides requests as the shares say`, (t) => divides(t, port));
    await t.test(`${name} spreads requests over all endpoints`, (t) => spreads(t, port));
    await t.test(`${name} bounds how often a client asks`, (t) => bounds(t, port));
  });
}

const apps = ['/one', '/two', '/both'] as const;

async function setUp(t: Test, engine: IngressEngine) {
  const backends = ['one', 'two'].map((name) => new RecordingBackend(answerEcho(name)));
  const ports = await Promise.all(backends.map((backend) => backend.start()));
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await Promise.all(backends.map((backend) => backend.stop()));
  });
  const endpoints = [
    endpoint({ app: apps[0], id: 'one', port: ports[0]! }),
    endpoint({ app: apps[1], id: 'two', port: ports[1]! }),
    ...ports.map((port, n) => endpoint({ app: apps[2], id: `both-${n}`, port })),
  ];
  const routes = [...routeCases.flatMap((one) => one.routes), ...ownRoutes].map((one, n) =>
    routeOf({ id: `r${n}`, ...one }),
  );
  await engine.apply(buildTable(directory(1, endpoints, routes)));
  return { port: engine.listening[0]!.port };
}

const ownRoutes = [
  { host: 'sticky.test', app: '/both', sticky: true },
  { host: 'split.test', app: '/one', ownShare: 75, split: [{ app: '/two', share: 25 }] },
  { host: 'spread.test', app: '/both' },
  { host: 'least.test', app: '/both', balance: 'least-requests' },
  { host: 'bounded.test', app: '/one', limits: { clientPerSecond: 2, clientBurst: 2 } },
];

function routeOf(definition: object) {
  const read = readRoute(definition);
  if (read.kind === 'faults') throw new Error(JSON.stringify([definition, read.faults]));
  return { ...read.route, owner: 'route:test' };
}

async function checkCase(t: Test, port: number, { asks }: RouteCase): Promise<void> {
  for (const { says, ...question } of asks) {
    const told = await askFor(port, question);
    for (const [what, wanted] of Object.entries(says)) {
      const found = toldOf(told, what);
      const title = `${question.method ?? 'GET'} ${question.host}${question.path ?? '/'}: ${what}`;
      if (wanted instanceof RegExp) t.match(found ?? '', wanted, title);
      else t.equal(found, wanted, title);
    }
  }
}

/** `status`, `at`, `target`, `body`, a field of the answer, or one that the service got (`got x-y`). */
function toldOf({ status, head, body }: Told, what: string): number | string | undefined {
  if (what === 'status') return status;
  if (what === 'body') return body;
  if (what === 'at') return /^at (\w+)\r\n/.exec(body)?.[1];
  if (what === 'target') return /^at \w+\r\n\S+ (\S+)/.exec(body)?.[1];
  return what.startsWith('got ') ? fieldOf(body, what.slice(4)) : fieldOf(head, what);
}

async function sticks(t: Test, port: number): Promise<void> {
  const question: Question = { host: 'sticky.test' };
  const first = await askFor(port, question);
  const cookie = fieldOf(first.head, 'set-cookie')?.split(';')[0] ?? '';
  t.match(cookie, /^mesosphere_server_id=\w+/);
  for (let n = 0; n < 4; n++) {
    const again = await askFor(port, { ...question, fields: { Cookie: `a=1; ${cookie}` } });
    t.equal(toldOf(again, 'at'), toldOf(first, 'at'));
    t.equal(fieldOf(again.body, 'cookie'), 'a=1', 'the service does not see it');
    t.equal(fieldOf(again.head, 'set-cookie'), undefined, 'it is told once');
  }
  const lost = await askFor(port, { ...question, fields: { Cookie: 'mesosphere_server_id=0123456789' } });
  t.match(fieldOf(lost.head, 'set-cookie'), /mesosphere_server_id=\w+/, 'one that nobody has is replaced');
}

async function divides(t: Test, port: number): Promise<void> {
  const at = await Promise.all(Array.from({ length: 200 }, () => askFor(port, { host: 'split.test' })));
  const two = at.filter((told) => toldOf(told, 'at') === 'two').length;
  t.ok(two >= 25 && two <= 80, `${two} of 200 went to the quarter`);
}

async function spreads(t: Test, port: number): Promise<void> {
  for (const host of ['spread.test', 'least.test']) {
    const at = new Set<unknown>();
    for (let n = 0; n < 12; n++) at.add(toldOf(await askFor(port, { host }), 'at'));
    t.equal(at.size, 2, host);
  }
}

async function bounds(t: Test, port: number): Promise<void> {
  const told: number[] = [];
  for (let n = 0; n < 6; n++) told.push((await askFor(port, { host: 'bounded.test' })).status);
  t.same(told.slice(0, 2), [200, 200]);
  t.ok(told.includes(429), told.join(' '));
}
