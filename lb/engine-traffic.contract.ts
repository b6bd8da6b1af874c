import { once } from 'node:events';
import { createServer } from 'node:http2';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { ActiveCheck, Route, RouteOptions } from '../core/model/route.ts';
import { buildTable } from './edge/routes/route-table.ts';
import { askFor } from './edge/testing/echo.ts';
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

/** Where every engine sends requests, what it counts, and what it says about them. */
export function testTrafficContract(name: string, create: () => IngressEngine): void {
  t.test(`${name} sends nothing to an endpoint whose check fails, until it is well again`, async (t) => {
    const well = [true, true];
    const { apply, who } = await setUp(
      t,
      create(),
      well.map((_, n) => checked(n, () => well[n] === true)),
    );
    const check: ActiveCheck = { path: '/health', intervalMs: 20, timeoutMs: 500, fall: 2, rise: 2 };
    await apply({ check });
    t.ok(await becomes(who, [0, 1]));
    well[0] = false;
    t.ok(await becomes(who, [1]));
    well[0] = true;
    t.ok(await becomes(who, [0, 1]));
    well.fill(false);
    t.ok(await becomes(who, [0, 1]), 'when none is well all are tried');
  });

  t.test(`${name} goes on knowing who is sick when everything else changes`, async (t) => {
    const { apply, who } = await setUp(t, create(), [checked(0, () => false), checked(1, () => true)]);
    const check: ActiveCheck = { path: '/health', intervalMs: 50, timeoutMs: 500, fall: 2, rise: 2 };
    await apply({ check });
    t.ok(await becomes(who, [1]));
    const other = { ...route({ host: 'other.test' }), conditions: { methods: ['PUT'] } };
    await apply({ check }, [other]);
    for (let n = 0; n < 8; n++) t.equal(await who(), 1);
  });

  t.test(`${name} keeps what a hash is made of with one endpoint`, async (t) => {
    const { engine, apply, who } = await setUp(t, create(), [answer(0), answer(1), answer(2)]);
    await apply({ balance: 'hash', hashBy: { from: 'header', name: 'X-User' } });
    const seen = new Set<number>();
    /** Once nothing is under way: who has more than its share of that is spared. */
    const again = async (user: string) => {
      while ((await engine.stats()).inFlight > 0);
      return who({ 'X-User': user });
    };
    for (let user = 0; user < 12; user++) {
      const first = await again(`user-${user}`);
      seen.add(first);
      for (let n = 0; n < 3; n++) t.equal(await again(`user-${user}`), first);
    }
    t.ok(seen.size > 1, 'they are spread');
  });

  t.test(`${name} compresses for clients that can read gzip`, async (t) => {
    const text = 'weir '.repeat(2_000);
    const { apply, port } = await setUp(t, create(), [
      (recorded) =>
        recorded.send(
          `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
        ),
    ]);
    await apply({ compress: {} });
    const plain = await askFor(port, { host: 'web.test' });
    t.equal(plain.body, text);
    const coded = await askFor(port, { host: 'web.test', fields: { 'Accept-Encoding': 'gzip' } });
    t.match(coded.head, /content-encoding: gzip/i);
    t.equal(gunzipSync(unchunked(coded.body)).toString(), text);
  });

  t.test(`${name} speaks HTTP/2 without TLS to endpoints that want it`, async (t) => {
    const server = createServer((request, response) => response.end(`by ${request.httpVersion}`));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const engine = create();
    await engine.start();
    t.teardown(() => engine.stop());
    const place = endpoint({ port: (server.address() as { port: number }).port });
    await engine.apply(buildTable(directory(1, [place], [{ ...route(), options: { protocol: 'h2c' } }])));
    const told = await askFor(engine.listening[0]!.port, { host: 'web.test' });
    t.match(told.body, 'by 2.0');
  });

  t.test(`${name} asks endpoints that speak HTTP/2 how they are over HTTP/2`, async (t) => {
    const asked = { sick: 0, well: 0 };
    const serve = async (who: keyof typeof asked) => {
      const server = createServer(({ url }, response) => {
        if (url === '/health') asked[who]++;
        response.statusCode = url === '/health' && who === 'sick' ? 500 : 200;
        response.end(who);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.teardown(() => server.close());
      return (server.address() as { port: number }).port;
    };
    const [sick, well] = [await serve('sick'), await serve('well')];
    const engine = create();
    await engine.start();
    t.teardown(() => engine.stop());
    const places = [endpoint({ id: 'a', port: sick }), endpoint({ id: 'b', port: well })];
    const check = { path: '/health', intervalMs: 20, timeoutMs: 500, fall: 2, rise: 1 };
    const options = { protocol: 'h2c', check } as const;
    await engine.apply(buildTable(directory(1, places, [{ ...route(), options }])));
    const seen = async () => {
      const { body } = await askFor(engine.listening[0]!.port, { host: 'web.test' });
      return /sick|well/.exec(body)?.[0];
    };
    const wereAsked = () => asked.sick > 2 && asked.well > 2;
    t.ok(await becomes(async () => ((await seen()) === 'well' && wereAsked() ? 1 : 0), [1]));
    for (let n = 0; n < 8; n++) t.equal(await seen(), 'well', 'the sick one gets nothing');
  });

  t.test(`${name} bounds requests in flight, of a route and of a client`, async (t) => {
    const { apply, port, backends } = await setUp(t, create(), [() => {}]);
    for (const [limits, status] of [
      [{ concurrent: 1 }, 503],
      [{ clientConcurrent: 1 }, 429],
    ] as const) {
      await apply({ limits });
      const known = backends[0]!.connections.value.length;
      const first = await rawClient(port);
      first.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
      const all = await backends[0]!.connections.until((connections) => connections.length > known);
      await all.at(-1)!.until('\r\n\r\n');
      t.equal((await askFor(port, { host: 'web.test' })).status, status);
      first.socket.destroy();
    }
  });

  t.test(`${name} fails no request and ends no WebSocket while routes and endpoints change`, async (t) => {
    const { engine, apply, port, endpoints } = await setUp(t, create(), [speak, speak]);
    await apply({});
    const sockets = await Promise.all(Array.from({ length: 5 }, () => upgraded(port)));
    let changing = true;
    const counts = { good: 0, bad: 0 };
    const clients = Array.from({ length: 4 }, async () => {
      while (changing) counts[(await statusOf(port)) === 200 ? 'good' : 'bad']++;
    });
    for (let n = 0; n < 60; n++) {
      const others = Array.from({ length: n % 5 }, (_, k) => route({ host: `extra-${k}.test` }));
      const ruled =
        n % 15 === 0 ? [{ ...route({ host: 'r.test' }), conditions: { methods: [`M${n}`] } }] : [];
      const present = n % 2 === 0 ? endpoints : endpoints.slice(1);
      await engine.apply(buildTable(directory(100 + n, present, [route(), ...others, ...ruled])));
    }
    changing = false;
    await Promise.all(clients);
    t.equal(counts.bad, 0, `${counts.good} requests`);
    for (const socket of sockets) {
      socket.send('ping');
      await socket.until('ping');
      socket.socket.destroy();
    }
  });

  t.test(
    `${name} says what is in force, what became of requests, and where a request would go`,
    async (t) => {
      const { engine, apply, port } = await setUp(t, create(), [answer(0)]);
      const dead = endpoint({ app: '/dead', id: 'dead-1', port: 1 });
      await apply({}, [route({ host: 'dead.test', app: '/dead' })], [dead]);
      t.equal((await askFor(port, { host: 'web.test' })).status, 200);
      t.equal((await askFor(port, { host: 'none.test' })).status, 404);
      const { requests, traffic, revision } = await engine.stats();
      t.equal(revision, 1);
      t.match(
        requests.find((one) => one.route === route().id),
        { codeClass: '2xx', count: 1 },
      );
      t.match(
        requests.find((one) => one.route === 'none'),
        { codeClass: '4xx', count: 1 },
      );
      t.match(
        traffic?.endpoints.find((one) => one.endpoint.startsWith('web-0')),
        { requests: [{ count: 1 }] },
      );
      t.notMatch(await engine.why({ url: 'http://web.test/' }), [{ ok: false }]);
      t.match((await engine.why({ url: 'http://dead.test/' })).at(-1), { link: 'connection', ok: false });
      t.match((await engine.why({ url: 'http://none.test/' })).at(-1), { link: 'route', ok: false });
    },
  );
}

type Answer = (recorded: Recorded) => void;

function answer(n: number): Answer {
  return answerEach(`from-${n}.`);
}

/** Answers `/health` as `isWell` says now, and tells everybody else who it is. */
function checked(n: number, isWell: () => boolean): Answer {
  return (recorded) => {
    const isCheck = recorded.text.value.startsWith('GET /health ');
    const status = isCheck && !isWell() ? '500 Sick' : '200 OK';
    recorded.send(`HTTP/1.1 ${status}\r\nContent-Length: 7\r\nConnection: close\r\n\r\nfrom-${n}.`);
    recorded.socket.end();
  };
}

/** Echoes what comes after an upgrade; answers other requests. */
function speak(recorded: Recorded): void {
  const { value } = recorded.text;
  const isUpgrade = value.includes('pgrade: websocket');
  if (isUpgrade && recorded.answered === 0)
    recorded.send(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    );
  else if (isUpgrade) recorded.send(value.slice(recorded.answered));
  else answerEach('ok')(recorded);
  if (isUpgrade) recorded.answered = value.length;
}

async function upgraded(port: number): Promise<Recorded> {
  const client = await rawClient(port);
  client.send(
    'GET / HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  await client.until('\r\n\r\n');
  return client;
}

async function setUp(t: Test, engine: IngressEngine, answers: readonly Answer[]) {
  const backends = answers.map((one) => new RecordingBackend(one));
  const ports = await Promise.all(backends.map((backend) => backend.start()));
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await Promise.all(backends.map((backend) => backend.stop()));
  });
  const endpoints = ports.map((port, n) => endpoint({ id: `web-${n}`, port }));
  const { port } = engine.listening[0]!;
  let revision = 0;
  const apply = (options: RouteOptions, more: readonly Route[] = [], others: typeof endpoints = []) => {
    const routes = [{ ...route(), options }, ...more];
    return engine.apply(buildTable(directory(++revision, [...endpoints, ...others], routes)));
  };
  const who = async (fields: Readonly<Record<string, string>> = {}) => {
    const { body } = await askFor(port, { host: 'web.test', fields });
    return Number(/from-(\d)/.exec(body)?.[1]);
  };
  return { engine, backends, endpoints, apply, port, who };
}

/** Asks until exactly these answer. */
async function becomes(who: () => Promise<number>, wanted: readonly number[]): Promise<boolean> {
  for (let deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    const found = new Set([await who(), await who(), await who(), await who()]);
    if (found.size === wanted.length && wanted.every((n) => found.has(n))) return true;
  }
  return false;
}

async function statusOf(port: number): Promise<number> {
  return askFor(port, { host: 'web.test' }).then(
    ({ status }) => status,
    () => 0,
  );
}

/** What a chunked body of Latin-1 text says. */
function unchunked(body: string): Buffer {
  const pieces: string[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.slice(at, end), 16);
    if (!(length > 0)) return Buffer.from(pieces.join(''), 'latin1');
    pieces.push(body.slice(end + 2, end + 2 + length));
    at = end + 4 + length;
  }
}
