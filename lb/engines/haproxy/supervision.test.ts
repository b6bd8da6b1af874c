import { readlinkSync, renameSync } from 'node:fs';
import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import type { Route } from '../../../core/model/route.ts';
import { buildTable } from '../../edge/routes/route-table.ts';
import { answerEcho, askFor } from '../../edge/testing/echo.ts';
import {
  directory,
  endpoint,
  type Recorded,
  RecordingBackend,
  rawClient,
  route,
} from '../../edge/testing/peers.ts';
import { HaproxyEngine } from './haproxy.ts';

async function setUp(t: Test) {
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  const engine = new HaproxyEngine(
    { clock: systemClock, warn },
    { httpPort: 0, stopMs: 100, slowStartMs: 0 },
  );
  const backend = new RecordingBackend(answerEcho('one'));
  const place = endpoint({ id: 'web-1', port: await backend.start() });
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await backend.stop();
  });
  return { engine, place, warnings, port: engine.listening[0]!.port };
}

t.test('HAProxy that dies is started again, and nobody is turned away meanwhile', async (t) => {
  const { engine, place, warnings, port } = await setUp(t);
  await engine.apply(buildTable(directory(1, [place])));
  const before = engine.pid;
  process.kill(before!, 'SIGKILL');
  // Its worker ends with it, and with that what it has taken; nobody is turned away (that would reject).
  let status = 0;
  while (status !== 200 || engine.pid === before) status = await answerOf(port);
  t.match(warnings.join('\n'), /ended unexpectedly/);
});

t.test('a route that HAProxy refuses is closed and named, and the others go on', async (t) => {
  const { engine, place, warnings, port } = await setUp(t);
  const limits = { clientPerSecond: 1, clientBurst: 1_000_000_000 };
  const refused: Route = { ...route({ host: 'bad.test', id: 'bad' }), options: { limits } };
  await engine.apply(buildTable(directory(1, [place], [route(), refused])));
  t.equal((await askFor(port, { host: 'web.test' })).status, 200);
  t.equal((await askFor(port, { host: 'bad.test' })).status, 503);
  t.match(warnings.join('\n'), /cannot carry out route bad/);
});

t.test('a rule that HAProxy refuses takes nothing and is named, and the others go on', async (t) => {
  const { engine, place, warnings, port } = await setUp(t);
  // More words than one of its lines may have.
  const paths = Array.from({ length: 70 }, (_, n) => ({ begins: `/${n}` }));
  const long: Route = { ...route({ host: 'web.test', id: 'long' }), conditions: { paths } };
  await engine.apply(buildTable(directory(1, [place], [route(), long])));
  t.equal((await askFor(port, { host: 'web.test' })).status, 200);
  t.match(warnings.join('\n'), /cannot tell the rule of route long/);
});

t.test('an option that restricts and cannot be carried out closes its route', async (t) => {
  const { engine, place, port } = await setUp(t);
  const asked = { service: { appId: '/auth', portIndex: 0 }, path: '/' };
  const routes = [{ ...route(), options: { forwardAuth: asked, protocol: 'h2c' as const } }];
  await engine.apply(buildTable(directory(1, [place], routes)));
  t.equal((await askFor(port, { host: 'web.test' })).status, 503);
  const links = await engine.why({ url: 'http://web.test/' });
  t.match(links.at(-1), { ok: false, says: /the engine haproxy does not ask another service/ });
});

t.test('a hundred changes of routes and endpoints under load fail no request', async (t) => {
  const { engine, place, port } = await setUp(t);
  const second = new RecordingBackend(answerEcho('two'));
  const other = endpoint({ id: 'web-2', port: await second.start() });
  t.teardown(() => second.stop());
  await engine.apply(buildTable(directory(1, [place])));
  let changing = true;
  const counts = { good: 0, bad: 0 };
  const client = async () => {
    while (changing) counts[(await answerOf(port).catch(() => 0)) === 200 ? 'good' : 'bad']++;
  };
  const clients = Array.from({ length: 4 }, client);
  const kept = keptAlive(port, () => changing);
  for (let n = 2; n <= 101; n++) {
    const extra = Array.from({ length: n % 7 }, (_, k) => route({ host: `extra-${k}-${n % 3}.test` }));
    const shaped =
      n % 20 === 0
        ? [{ ...route({ host: 'rule.test' }), conditions: { methods: [`M${'X'.repeat(n / 20)}`] } }]
        : [];
    await engine.apply(
      buildTable(directory(n, n % 2 === 0 ? [place, other] : [other], [route(), ...extra, ...shaped])),
    );
  }
  changing = false;
  await Promise.all(clients);
  const asked = await kept;
  t.equal(counts.bad, 0);
  t.ok(
    counts.good > 100,
    `${counts.good} requests on connections of their own, ${asked} on one that is kept`,
  );
  t.ok(asked > 100);
});

t.test('HAProxy that cannot be started again is tried until it can', async (t) => {
  const { engine, place, warnings, port } = await setUp(t);
  await engine.apply(buildTable(directory(1, [place])));
  const before = engine.pid!;
  // Its files cannot be written while its folder has another name.
  const folder = readlinkSync(`/proc/${before}/cwd`);
  renameSync(folder, `${folder}-away`);
  process.kill(before, 'SIGKILL');
  for (let tries = 0; tries < 2; tries = warnings.filter((text) => text.includes('trying again')).length)
    await systemClock.sleep(20);
  renameSync(`${folder}-away`, folder);
  t.equal(await answerOf(port), 200, 'whoever came meanwhile has waited');
});

t.test('processes that still have WebSockets are bounded, counted, and gone when these end', async (t) => {
  const { engine, place, warnings, port } = await setUp(t);
  const clients: Recorded[] = [];
  const backend = new RecordingBackend((recorded) => {
    if (recorded.answered++ > 0) recorded.send('pong');
    else {
      recorded.send(accepted);
      recorded.socket.once('end', () => recorded.socket.end());
    }
  });
  t.teardown(() => backend.stop());
  const sockets = endpoint({ app: '/ws', id: 'ws-1', port: await backend.start() });
  for (let n = 1; n <= 20; n++) {
    const ruled = { ...route({ host: 'rule.test' }), conditions: { methods: [`M${n}`] } };
    const routes = [route(), route({ host: 'ws.test', app: '/ws' }), ruled];
    await engine.apply(buildTable(directory(n, [place, sockets], routes)));
    const client = await rawClient(port);
    client.send(upgrade);
    await client.until('\r\n\r\n');
    clients.push(client);
  }
  const { replaced = 0 } = await engine.stats();
  t.ok(replaced > 10 && replaced <= 16, `${replaced} processes`);
  t.match(warnings.join('\n'), /replaced processes of HAProxy/);
  const open = clients.filter(({ closed }) => !closed.value);
  t.ok(open.length >= 16, `${open.length} WebSockets go on`);
  for (const client of open.slice(-16)) {
    client.send('ping');
    await client.until('pong');
  }
  for (const client of clients) client.socket.destroy();
  while (((await engine.stats()).replaced ?? 0) > 0) await systemClock.sleep(50);
});

const upgrade =
  'GET / HTTP/1.1\r\nHost: ws.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
const accepted =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

async function answerOf(port: number): Promise<number> {
  return (await askFor(port, { host: 'web.test' })).status;
}

/** Requests one after the other on one connection; one that is told to close makes another. Rejects when one is not answered with 200. */
async function keptAlive(port: number, more: () => boolean): Promise<number> {
  let count = 0;
  while (more()) {
    const client = await rawClient(port);
    for (let n = 1; more(); n++) {
      client.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
      const text = await client.until('at ', n);
      if (text.split('HTTP/1.1 200').length !== n + 1) throw new Error(text.slice(-500));
      count++;
      if (/connection: close/i.test(text)) break;
    }
    client.socket.destroy();
  }
  return count;
}
