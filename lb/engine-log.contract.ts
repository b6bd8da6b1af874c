import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../core/kit/clock.ts';
import type { RouteOptions } from '../core/model/route.ts';
import { buildTable } from './edge/routes/route-table.ts';
import type { EdgeSettings } from './edge/settings.ts';
import { askFor } from './edge/testing/echo.ts';
import { listener, ownRoute } from './edge/testing/listeners.ts';
import {
  answerEach,
  directory,
  endpoint,
  type Recorded,
  RecordingBackend,
  rawClient,
  route,
} from './edge/testing/peers.ts';
import type { IngressEngine } from './engine.ts';

type Line = Readonly<Record<string, unknown>>;

/** What the access log of every engine says, and what it counts by how long requests took. */
export function testLogContract(
  name: string,
  create: (settings: Pick<EdgeSettings, 'accessLog'>) => IngressEngine,
): void {
  t.test(`${name} writes who asked for what, where it went and how long that took`, async (t) => {
    const { port, apply, lines, place } = await setUp(t, create);
    await apply([route()]);
    const before = systemClock.now();
    await askFor(port, { host: 'Web.test', path: '/a%20"b\'c?b=1%0a&d' });
    const [line] = await lines(1);
    t.match(line, {
      time: /^\d{4}-\d\d-\d\dT.*Z$/,
      id: /./,
      client: '127.0.0.1',
      scheme: 'http',
      protocol: 'HTTP/1.1',
      host: 'Web.test',
      method: 'GET',
      path: '/a%20"b\'c',
      query: 'b=1%0a&d',
      status: 200,
      bytesIn: Number,
      route: 'web.test//web',
      endpoint: `web-0 127.0.0.1:${place}`,
      retries: 0,
      firstByteMs: Number,
      totalMs: Number,
    });
    t.ok(Number(line?.['bytesIn']) > 50 && Number(line?.['bytesOut']) > 40, 'heads count');
    t.ok(Math.abs(Date.parse(String(line?.['time'])) - before) < 5_000);
    t.notOk('why' in line! || 'listener' in line!);
  });

  t.test(`${name} writes why it answered by itself`, async (t) => {
    const { port, apply, lines } = await setUp(t, create);
    const cases: readonly (readonly [string, RouteOptions])[] = [
      ['403 address', { deny: ['127.0.0.0/8'] }],
      ['301 redirect', { redirectToHttps: true }],
      ['503 maintenance', { maintenance: {} }],
      ['503 route-limit', { limits: { perSecond: 0.001, burst: 0 } }],
      ['429 client-limit', { limits: { clientPerSecond: 0.001, clientBurst: 0 } }],
    ];
    await apply(cases.map(([, options], n) => ({ ...route({ host: `h${n}.test` }), options })));
    for (const [n] of cases.entries()) await askFor(port, { host: `h${n}.test` });
    await askFor(port, { host: 'no.test' });
    const all = await lines(cases.length + 1);
    const told = all.map(({ status, why }) => `${status} ${why}`);
    t.same(told, [...cases.map(([why]) => why), '404 no-route']);
    t.equal(all[0]?.['route'], 'h0.test//web');
    t.notOk('route' in all.at(-1)!, 'no route matched');
  });

  t.test(`${name} writes what it could not read, without a path`, async (t) => {
    const { port, lines } = await setUp(t, create);
    const client = await rawClient(port);
    client.send('GET / HTTP/1.1\r\nHost: a b\r\nno field\r\n\r\n');
    await client.until('400');
    client.socket.destroy();
    const [line] = await lines(1);
    t.match(line, { status: 400, why: /./ });
    t.ok(Math.abs(Date.parse(String(line?.['time'])) - systemClock.now()) < 10_000);
    t.notOk('path' in line!);
  });

  t.test(`${name} counts retries in its lines, and says that an answer broke off`, async (t) => {
    const short = (recorded: Recorded) => {
      recorded.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      recorded.socket.end();
    };
    const { port, apply, lines } = await setUp(t, create, { answer: short, dead: true });
    await apply([route()]);
    for (let n = 0; n < 2; n++) {
      const client = await rawClient(port);
      client.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
      await client.until('half');
      await client.over();
    }
    const all = await lines(2);
    for (const line of all) t.match(line, { status: 200, why: 'answer-broken' });
    t.ok(Math.max(...all.map(({ retries }) => Number(retries))) >= 1);
  });

  t.test(`${name} writes a line for each connection that is not HTTP`, async (t) => {
    const { engine, apply, lines, place } = await setUp(t, create, { answer: pong });
    await apply([ownRoute('/web')]);
    await engine.open(listener('tcp'));
    const client = await rawClient(engine.portOf('l4')!);
    client.send('ping');
    await client.until('pong');
    await client.over();
    client.socket.destroy();
    await apply([ownRoute('/web', { options: { deny: ['127.0.0.0/8'] } })]);
    await rawClient(engine.portOf('l4')!).then(
      async (refused) => {
        refused.send('ping');
        await refused.over();
      },
      () => {},
    );
    const all = (await lines(2)).toSorted((a, b) => Number(b['bytesOut']) - Number(a['bytesOut']));
    t.match(all[0], {
      ...{ client: '127.0.0.1', scheme: 'tcp', listener: 'l4', bytesIn: 4, bytesOut: 4 },
      ...{ route: '* /web', endpoint: `web-0 127.0.0.1:${place}`, totalMs: Number },
    });
    t.match(all[1], { listener: 'l4', why: 'this address may not use the service' });
    for (const line of all) t.notOk('status' in line || 'method' in line);
  });

  t.test(`${name} writes only errors of the share that is not written`, async (t) => {
    const { port, apply, lines } = await setUp(t, create, { share: 0 });
    await apply([route()]);
    t.equal((await askFor(port, { host: 'web.test' })).status, 200);
    await apply([route()], []);
    t.equal((await askFor(port, { host: 'web.test' })).status, 503);
    const all = await lines(1);
    t.same(
      all.map(({ status }) => status),
      [503],
    );
    t.match(all[0], { why: /service/ });
  });

  t.test(`${name} has written everything when it has stopped`, async (t) => {
    const { engine, port, apply, lines } = await setUp(t, create);
    await apply([route()]);
    for (let n = 0; n < 20; n++) await askFor(port, { host: 'web.test' });
    await engine.stop();
    t.equal((await lines(0)).length, 20);
  });

  t.test(`${name} counts how long requests took, by route and by endpoint`, async (t) => {
    const { engine, port, apply, lines, place } = await setUp(t, create);
    await apply([route()]);
    for (let n = 0; n < 3; n++) await askFor(port, { host: 'web.test' });
    await askFor(port, { host: 'none.test' });
    await lines(4);
    const { traffic } = await engine.stats();
    const sum = (buckets: readonly number[] = []) => buckets.reduce((all, one) => all + one, 0);
    const ofRoute = traffic?.latencies.filter((one) => one.route === route().id) ?? [];
    t.equal(sum(ofRoute[0]?.buckets), 3);
    t.equal(traffic?.latencies.length, 1);
    const ofEndpoint = traffic?.endpoints.find((one) => one.endpoint === `web-0 127.0.0.1:${place}`);
    t.equal(sum(ofEndpoint?.latency?.buckets), 3);
    t.equal(traffic?.accessLogLost, 0);
  });
}

function pong(asked: Recorded): void {
  asked.send('pong');
  asked.socket.end();
}

type Options = {
  readonly share?: number;
  readonly answer?: (recorded: Recorded) => void;
  /** There is another endpoint, where nobody listens. */
  readonly dead?: boolean;
};

async function setUp(
  t: Test,
  create: Parameters<typeof testLogContract>[1],
  { share = 1, answer = answerEach(), dead = false }: Options = {},
) {
  const file = join(t.testdir({}), 'access.log');
  const engine = create({ accessLog: { file, share } });
  const backend = new RecordingBackend(answer);
  const place = await backend.start();
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await backend.stop();
  });
  const places = [
    endpoint({ id: 'web-0', port: place }),
    ...(dead ? [endpoint({ id: 'a-dead', port: 1 })] : []),
  ];
  let revision = 0;
  const apply = (routes: ReturnType<typeof route>[], endpoints = places) =>
    engine.apply(buildTable(directory(++revision, endpoints, routes)));
  return {
    engine,
    apply,
    place,
    port: engine.listening[0]!.port,
    lines: (least: number) => linesOf(file, least),
  };
}

async function linesOf(path: string, atLeast: number): Promise<readonly Line[]> {
  for (const until = systemClock.now() + 10_000; systemClock.now() < until; await systemClock.sleep(20)) {
    const text = await readFile(path, 'utf8').catch(() => '');
    const lines = text.split('\n').slice(0, -1);
    if (lines.length >= atLeast) return lines.map((line) => JSON.parse(line));
  }
  throw new Error(`there are not ${atLeast} lines in ${path}`);
}
