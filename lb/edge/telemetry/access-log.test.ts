import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { buildTable } from '../routes/route-table.ts';
import { answerEach, directory, rawClient, route, serveWith } from '../testing/peers.ts';

const get = 'GET /a?b=1 HTTP/1.1\r\nHost: web.test\r\n\r\n';

type Line = Readonly<Record<string, unknown>>;

async function ask(port: number, text: string, until: string): Promise<void> {
  const client = await rawClient(port);
  client.send(text);
  await client.until(until);
  client.socket.destroy();
}

async function linesOf(path: string, atLeast: number): Promise<readonly Line[]> {
  for (const until = systemClock.now() + 10_000; systemClock.now() < until; await systemClock.sleep(20)) {
    const text = await readFile(path, 'utf8').catch(() => '');
    const lines = text.split('\n').slice(0, -1);
    if (lines.length >= atLeast) return lines.map((line) => JSON.parse(line));
  }
  throw new Error(`there are not ${atLeast} lines in ${path}`);
}

async function logging(t: Test, share = 1, answer = answerEach()) {
  const file = join(t.testdir({}), 'access.log');
  return { file, ...(await serveWith(t, [answer], { accessLog: { file, share } })) };
}

t.test('a line says why the edge answered by itself', async (t) => {
  const { port, file, engine, endpoints } = await logging(t);
  const barred = { ...route({ host: 'barred.test' }), options: { deny: ['127.0.0.0/8'] } };
  const moved = { ...route({ host: 'moved.test' }), options: { redirectToHttps: true as const } };
  const limited = { ...route({ host: 'limited.test' }), options: { limits: { perSecond: 0.001, burst: 0 } } };
  await engine.apply(buildTable(directory(2, endpoints, [route(), barred, moved, limited])));
  for (const host of ['no.test', 'barred.test', 'moved.test', 'limited.test'])
    await ask(port, get.replace('web.test', host), 'Request id');
  await ask(port, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'Request id');
  const lines = await linesOf(file, 5);
  t.same(
    lines.map(({ status, why }) => `${status} ${why}`.slice(0, 20)),
    ['404 no-route', '403 address', '301 redirect', '503 route-limit', '400 more than one Ho'],
  );
  t.notOk('route' in lines[0]!, 'no route matched');
  t.equal(lines[1]?.['route'], 'barred.test//web');
});

t.test('a file that was moved away is begun anew', async (t) => {
  const { port, file } = await logging(t);
  await ask(port, get, 'ok');
  await linesOf(file, 1);
  await rename(file, `${file}.1`);
  await ask(port, get, 'ok');
  t.equal((await linesOf(file, 1)).length, 1);
  t.equal((await linesOf(`${file}.1`, 1)).length, 1);
});

t.test('a client that wants JSON gets its error as JSON, with the request id', async (t) => {
  const { port } = await logging(t);
  const client = await rawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: no.test\r\nAccept: application/json\r\n\r\n');
  const text = await client.until('}\n');
  client.socket.destroy();
  t.match(text, 'Content-Type: application/json\r\n');
  t.match(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))), {
    status: 404,
    requestId: 'id-1',
    message: String,
  });
});
