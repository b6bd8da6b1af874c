import t, { type Test } from 'tap';
import type { ActiveCheck } from '../../../core/model/route.ts';
import { buildTable } from '../routes/route-table.ts';
import {
  directory,
  endpoint,
  type Recorded,
  RecordingBackend,
  rawClient,
  route,
  serveWith,
} from '../testing/peers.ts';

/** Backends that say who they are, and answer `/health` as `health` says now. */
async function checked(t: Test, check: ActiveCheck, count = 2) {
  const health = Array.from({ length: count }, () => true);
  const asked = Array.from({ length: count }, () => 0);
  const answers = health.map((_, n) => (recorded: Recorded) => {
    const isCheck = recorded.text.value.startsWith('GET /health ');
    if (isCheck) asked[n] = (asked[n] ?? 0) + 1;
    const status = isCheck && health[n] !== true ? '500 Sick' : '200 OK';
    recorded.send(`HTTP/1.1 ${status}\r\nContent-Length: 6\r\n\r\nfrom-${n}`);
  });
  const { engine, endpoints, port } = await serveWith(t, answers);
  await engine.apply(buildTable(directory(2, endpoints, [{ ...route(), options: { check } }])));
  const ask = async () => {
    const client = await rawClient(port);
    client.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
    const text = await client.until('from-');
    client.socket.destroy();
    return Number(/from-(\d)/.exec(text)?.[1]);
  };
  const seen = async () => new Set([await ask(), await ask(), await ask(), await ask()]);
  /** Asks until exactly these answer. */
  const becomes = async (...wanted: readonly number[]) => {
    for (let deadline = Date.now() + 10_000; Date.now() < deadline; ) {
      const found = await seen();
      if (found.size === wanted.length && wanted.every((n) => found.has(n))) return true;
    }
    return false;
  };
  return { health, asked, becomes };
}

t.test('an endpoint that its check finds sick gets nothing until it is well again', async (t) => {
  const { health, becomes, asked } = await checked(t, { path: '/health', intervalMs: 20, fall: 2, rise: 2 });
  t.ok(await becomes(0, 1));
  health[0] = false;
  t.ok(await becomes(1));
  health[0] = true;
  t.ok(await becomes(0, 1));
  t.ok(
    asked.every((count) => count > 3),
    'all were asked all the time',
  );
});

t.test('routes that ask at different ports of an endpoint each ask at their own', async (t) => {
  const asked = new Set<string>();
  const backends = ['here', 'there'].map(
    (name) =>
      new RecordingBackend((recorded) => {
        const [, path] = /^GET (\S+)/.exec(recorded.text.value) ?? [];
        asked.add(`${name} ${path}`);
        recorded.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      }),
  );
  t.teardown(() => Promise.all(backends.map((backend) => backend.stop())));
  const [here = 0, there = 0] = await Promise.all(backends.map((backend) => backend.start()));
  const { engine } = await serveWith(t, []);
  const place = endpoint({ port: here });
  const both = { ...place, ports: [...place.ports, { ...place.ports[0]!, index: 1, port: there }] };
  const routes = [
    { ...route({ host: 'a.test' }), options: { check: { path: '/a', intervalMs: 20 } } },
    { ...route({ host: 'b.test' }), options: { check: { path: '/b', portIndex: 1, intervalMs: 20 } } },
  ];
  await engine.apply(buildTable(directory(2, [both], routes)));
  for (let deadline = Date.now() + 10_000; asked.size < 2 && Date.now() < deadline; )
    await new Promise(setImmediate);
  t.same([...asked].toSorted(), ['here /a', 'there /b']);
});

for (const [version, begins] of [
  ['v1', /^PROXY UNKNOWN\r\nGET \/health /],
  ['v2', /^\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET \/health /],
] as const)
  t.test(`an endpoint that wants a PROXY header ${version} is asked with one`, async (t) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { engine, endpoints } = await serveWith(t, [(recorded) => resolve(recorded.text.value)]);
    const options = { check: { path: '/health', intervalMs: 20 }, sendProxy: version };
    await engine.apply(buildTable(directory(2, endpoints, [{ ...route(), options }])));
    t.match(await promise, begins);
  });

t.test('when none is well, all are tried', async (t) => {
  const { health, becomes } = await checked(t, { path: '/health', intervalMs: 20, fall: 1, rise: 1 });
  health[0] = false;
  t.ok(await becomes(1));
  health[1] = false;
  t.ok(await becomes(0, 1));
});

t.test('below the panic share sick ones are used too', async (t) => {
  const check = { path: '/health', intervalMs: 20, fall: 1, rise: 1, panicPercent: 60 };
  const { health, becomes } = await checked(t, check, 3);
  health[0] = false;
  t.ok(await becomes(1, 2), 'two of three are enough');
  health[1] = false;
  t.ok(await becomes(0, 1, 2));
});
