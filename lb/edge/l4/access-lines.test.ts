import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { listener, listenWith } from '../testing/listeners.ts';
import { rawClient } from '../testing/peers.ts';

async function lineOf(path: string, n: number): Promise<Readonly<Record<string, unknown>>> {
  for (const until = systemClock.now() + 10_000; systemClock.now() < until; await systemClock.sleep(20)) {
    const line = (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(0, -1)[n];
    if (line !== undefined) return JSON.parse(line);
  }
  throw new Error(`there is no line ${n} in ${path}`);
}

t.test('the access log has a line for each connection, when it is over', async (t) => {
  const file = join(t.testdir({}), 'access.log');
  const { apply, port } = await listenWith(t, listener('tcp'), {
    answers: [(recorded) => recorded.send('hello')],
    settings: { accessLog: { file, share: 1 } },
  });
  const client = await rawClient(port);
  client.send('hi');
  await client.until('hello');
  client.socket.resetAndDestroy();
  t.match(await lineOf(file, 0), {
    ...{ scheme: 'tcp', client: '127.0.0.1', listener: 'l4', route: '* /web', endpoint: /^web-0 127/ },
    ...{ bytesIn: 2, bytesOut: 5, totalMs: Number, connectMs: Number },
  });
  await apply(2, []);
  // It may be reset before this side has heard that it stands.
  await rawClient(port).then(
    ({ closed }) => closed.until((is) => is),
    () => {},
  );
  t.match(await lineOf(file, 1), { listener: 'l4', why: 'no endpoint takes it', bytesIn: 0 });
});
