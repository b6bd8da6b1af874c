import t, { type Test } from 'tap';
import { FakeClock } from '../../../core/kit/fake-clock.ts';
import { buildTable } from '../routes/route-table.ts';
import type { EdgeSettings } from '../settings.ts';
import {
  answerEach,
  directory,
  endpoint,
  portOfEngine,
  RecordingBackend,
  rawClient,
  route,
  serveWith,
  testEngine,
} from '../testing/peers.ts';

const get = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 5\r\n\r\nhello';

/** A port of this machine where nobody listens. */
async function deadPort(): Promise<number> {
  const backend = new RecordingBackend(() => {});
  const port = await backend.start();
  await backend.stop();
  return port;
}

/** A backend that answers the first request of a connection and closes without a word at the second. */
const closesAtSecond = () => {
  const answer = answerEach();
  return (recorded: Parameters<typeof answer>[0]) => {
    if (recorded.answered === 1) recorded.socket.destroy();
    else answer(recorded);
  };
};

async function exchange(port: number, request: string, until: string): Promise<string> {
  const client = await rawClient(port);
  client.send(request);
  const text = await client.until(until);
  client.socket.destroy();
  return text;
}

t.test('a host without a route is 404 and names the request id', async (t) => {
  const { port } = await serveWith(t, [answerEach()]);
  const text = await exchange(port, get.replace('web.test', 'other.test'), 'Request id: id-1\n');
  t.match(text, /^HTTP\/1\.1 404 Not Found\r\n[\s\S]*X-Request-Id: id-1\r\n/);
});

t.test('an answer of the edge itself says when it was given', async (t) => {
  const { port } = await serveWith(t, [answerEach()]);
  for (const [request, status] of [
    [get.replace('web.test', 'other.test'), 404],
    ['GET / HTTP/1.1\r\n\r\n', 400],
  ] as const) {
    const text = await exchange(port, request, 'Request id: ');
    const date = Date.parse(
      new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*\r\nDate: (.*)\r\n`).exec(text)?.[1] ?? '',
    );
    t.ok(Math.abs(date - Date.now()) < 60_000, `${status}`);
  }
});

t.test('the connection goes on after a 404', async (t) => {
  const { port } = await serveWith(t, [answerEach()]);
  const text = await exchange(port, get.replace('web.test', 'other.test') + get, '\r\n\r\nok');
  t.match(text, /^HTTP\/1\.1 404 [\s\S]*HTTP\/1\.1 200 /);
});

t.test('a route without endpoints is 503, as is an edge without routes', async (t) => {
  const engine = testEngine();
  await engine.start();
  t.teardown(() => engine.stop());
  t.match(await exchange(portOfEngine(engine), get, 'Request id: '), /^HTTP\/1\.1 503 /);
  await engine.apply(buildTable(directory(1, [endpoint({ ready: false })])));
  t.match(await exchange(portOfEngine(engine), get, 'Request id: '), /^HTTP\/1\.1 503 /);
});

t.test('a request whose endpoint cannot be reached goes to another, which is then preferred', async (t) => {
  const { engine, endpoints, port } = await serveWith(t, [answerEach()], { slowStartMs: 0 });
  const dead = endpoint({ id: 'dead', port: await deadPort() });
  await engine.apply(buildTable(directory(2, [dead, ...endpoints])));
  for (let n = 0; n < 10; n++) t.match(await exchange(port, post, 'ok'), /^HTTP\/1\.1 200 /);
  const { connectFailures, ejections } = await engine.stats();
  t.match({ connectFailures, ejections }, { connectFailures: 1, ejections: 1 });
});

t.test('a request is 502 when no endpoint can be reached, and 200 again once one can', async (t) => {
  const { engine, endpoints, port } = await serveWith(t, [answerEach()]);
  const dead = [1, 2].map(async (n) => endpoint({ id: `dead-${n}`, port: await deadPort() }));
  await engine.apply(buildTable(directory(2, await Promise.all(dead))));
  for (let n = 0; n < 3; n++) t.match(await exchange(port, get, 'Request id: '), /^HTTP\/1\.1 502 /);
  await engine.apply(buildTable(directory(3, endpoints)));
  t.match(await exchange(port, get, 'ok'), /^HTTP\/1\.1 200 /);
});

t.test('a request on a kept connection that was just closed is sent again on a new one', async (t) => {
  const { engine, backends, port } = await serveWith(t, [closesAtSecond()]);
  const client = await rawClient(port);
  for (let n = 1; n <= 5; n++) {
    client.send(get);
    await client.until('HTTP/1.1 ', n);
  }
  t.equal(client.text.value.split('HTTP/1.1 200').length - 1, 5);
  client.socket.destroy();
  t.equal(backends[0]!.connections.value.length, 5);
  t.equal((await engine.stats()).retries, 4);
});

t.test('a request that is not idempotent is never sent twice', async (t) => {
  const { backends, port } = await serveWith(t, [closesAtSecond()]);
  const client = await rawClient(port);
  client.send(get);
  await client.until('ok');
  client.send(post);
  await client.until('HTTP/1.1 502');
  client.socket.destroy();
  t.equal(backends[0]!.text.split('POST').length, 2);
});

t.test('a request whose endpoint dies before it answers is tried once elsewhere', async (t) => {
  const dies = (recorded: { socket: { destroy(): void } }) => recorded.socket.destroy();
  const { port, backends } = await serveWith(t, [dies, dies, dies]);
  t.match(await exchange(port, get, 'Request id: '), /^HTTP\/1\.1 502 /);
  t.equal(backends.flatMap((backend) => backend.connections.value).length, 2);
});

/** An engine on a clock of the test's own. */
async function serveTimed(t: Test, answer: () => void, settings: Partial<EdgeSettings> = {}) {
  const clock = new FakeClock();
  const engine = testEngine(settings, clock);
  const backend = new RecordingBackend(answer);
  await engine.start();
  await engine.apply(buildTable(directory(1, [endpoint({ port: await backend.start() })])));
  t.teardown(async () => {
    const stopped = engine.stop();
    await clock.advance(1_000);
    await stopped;
    await clock.advance(1_000);
    await backend.stop();
  });
  return { clock, engine, backend, port: portOfEngine(engine) };
}

t.test('an endpoint that does not answer in time is 504', async (t) => {
  const { clock, backend, port } = await serveTimed(t, () => {}, { firstByteMs: 5_000 });
  const client = await rawClient(port);
  client.send(get);
  const [connection] = await backend.connections.until((all) => all.length === 1);
  await connection!.until('\r\n\r\n');
  await clock.advance(4_500);
  t.equal(client.text.value, '');
  await clock.advance(1_000);
  t.match(await client.until('Request id: '), /^HTTP\/1\.1 504 Gateway Timeout\r\n/);
  client.socket.destroy();
});

t.test('a client that does not finish its head in time is 408', async (t) => {
  const { clock, port, engine } = await serveTimed(t, () => {}, { headMs: 2_000 });
  const client = await rawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: web.');
  await engineHas(engine, 1);
  await clock.advance(3_000);
  t.match(await client.until('Request id: '), /^HTTP\/1\.1 408 /);
  client.socket.destroy();
});

t.test('a client that says nothing is let go without a word', async (t) => {
  const { clock, port, engine } = await serveTimed(t, () => {}, { headMs: 2_000 });
  const client = await rawClient(port);
  await engineHas(engine, 1);
  await clock.advance(3_000);
  await client.ended.until((ended) => ended);
  t.equal(client.text.value, '');
  client.socket.destroy();
});

t.test('a request whose content stops coming is 408 and leaves its endpoint', async (t) => {
  const { clock, port, backend, engine } = await serveTimed(t, () => {}, { bodyMs: 2_000 });
  const client = await rawClient(port);
  client.send(post.slice(0, -2));
  const [connection] = await backend.connections.until((all) => all.length === 1);
  await connection!.until('hel');
  await clock.advance(3_000);
  t.match(await client.until('Request id: '), /^HTTP\/1\.1 408 /);
  t.same(await engine.inFlight(), new Map());
  client.socket.destroy();
});

t.test('a trusted proxy may say who the client is', async (t) => {
  const settings = { trustedProxies: ['127.0.0.0/8'] };
  const { backends, port } = await serveWith(t, [answerEach()], settings);
  const told = 'X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Request-Id: theirs\r\n\r\n';
  await exchange(port, get.replace('\r\n\r\n', `\r\n${told}`), 'ok');
  t.match(backends[0]!.text, /X-Forwarded-For: 9\.9\.9\.9, 127\.0\.0\.1\r\n/);
  t.match(backends[0]!.text, /X-Forwarded-Proto: https\r\n[\s\S]*X-Request-Id: theirs\r\n/);
  t.notMatch(backends[0]!.text, /X-Forwarded-Proto: http\r\n/);
});

t.test('requests are counted by route and class of status', async (t) => {
  const { engine, port } = await serveWith(t, [answerEach()]);
  await exchange(port, get, 'ok');
  await exchange(port, get.replace('web.test', 'other.test'), 'Request id: ');
  await exchange(port, 'nonsense\r\n\r\n', 'Request id: ');
  const { requests, refused } = await engine.stats();
  t.same(requests, [
    { route: route().id, codeClass: '2xx', count: 1 },
    { route: 'none', codeClass: '4xx', count: 2 },
  ]);
  t.equal(refused, 1);
  await engine.apply(buildTable(directory(2, [], [])));
  t.same(
    (await engine.stats()).requests,
    [{ route: 'none', codeClass: '4xx', count: 2 }],
    'gone with its route',
  );
});

/** Waits until the engine has accepted connections: what it was sent before is then on its way. */
async function engineHas(engine: { stats(): Promise<{ openConnections: number }> }, count: number) {
  while ((await engine.stats()).openConnections < count)
    await new Promise((resolve) => setImmediate(resolve));
}
