import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { systemClock } from '../../core/kit/clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import { EdgeConsumer } from './consumer.ts';
import { directory, endpoint, Recorded, RecordingBackend, rawClient } from './testing/peers.ts';

const get = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';
const upgrade = 'GET /ws HTTP/1.1\r\nHost: web.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';

/** Answers requests; upgraded connections get back what they send. */
function serve(recorded: Recorded): void {
  const text = recorded.text.value.slice(recorded.answered);
  if (text.startsWith('GET /ws')) {
    recorded.answered += text.length;
    recorded.socket.once('end', () => recorded.socket.end());
    recorded.send('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    return;
  }
  recorded.answered += text.length;
  if (!text.includes('\r\n\r\n')) recorded.send(text);
  else
    for (const _ of text.matchAll(/\r\n\r\n/g))
      recorded.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
}

/** New connections without a pause, so many at a time, until told to stop. Gives how many were served and what went wrong. */
class Load {
  served = 0;
  readonly failures: string[] = [];
  #over = false;
  readonly #done: Promise<void>;

  constructor(port: number, width: number) {
    const one = async () => {
      while (!this.#over) await this.#ask(port);
    };
    this.#done = Promise.all(Array.from({ length: width }, one)).then(() => {});
  }

  async until(count: number): Promise<void> {
    while (this.served < count) await new Promise((resolve) => setImmediate(resolve));
  }

  stop(): Promise<void> {
    this.#over = true;
    return this.#done;
  }

  async #ask(port: number): Promise<void> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const { promise, resolve } = Promise.withResolvers<string>();
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.endsWith('ok')) resolve('');
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve(`closed after ${JSON.stringify(text)}`));
    socket.on('connect', () => socket.write(get));
    const failure = await promise;
    socket.destroy();
    if (failure === '') this.served++;
    else this.failures.push(failure);
  }
}

t.test('an edge is replaced twice under load: nobody is refused, and open WebSockets live on', async (t) => {
  const edge = new EdgeConsumer(
    { clock: systemClock, log: silentLog, certificate: () => Promise.reject(new Error('none')) },
    { httpPort: 0, stopMs: 500 },
  );
  const backend = new RecordingBackend(serve);
  await edge.start();
  const port = edge.listening[0]!.port;
  await edge.apply(directory(1, [endpoint({ port: await backend.start() })]));
  t.teardown(async () => {
    await edge.stop();
    await backend.stop();
  });
  const sockets = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const client = await rawClient(port);
      client.send(upgrade);
      await client.until('101 Switching');
      return client;
    }),
  );
  const quiet = await rawClient(port);
  quiet.send(get);
  await quiet.until('ok');
  const load = new Load(port, 16);
  const seen = new Set(edge.pids);
  const startedAt = performance.now();
  for (const round of [1, 2]) {
    await load.until(1_000 * round);
    await edge.replaceWorkers();
    for (const pid of edge.pids) seen.add(pid);
    for (const client of sockets) {
      client.send(`hello ${round};`);
      await client.until(`hello ${round};`);
    }
  }
  await load.until(3_000);
  const seconds = (performance.now() - startedAt) / 1_000;
  await load.stop();
  t.comment(`${Math.round(load.served / seconds)} connections a second`);
  t.same(load.failures, []);
  t.equal(seen.size, 3, 'three workers, one after the other');
  t.equal((await edge.reports()).length, 2, 'the first serves the WebSockets, the second has no client left');
  quiet.send(get);
  t.match(
    await quiet.until('HTTP/1.1 200', 2),
    /Connection: close\r\n/,
    'who was quiet is told with its next answer',
  );
  for (const client of [quiet, ...sockets]) client.socket.destroy();
  while ((await edge.reports()).length > 1) await new Promise((resolve) => setImmediate(resolve));
});

t.test('the death of one worker is not noticed by the clients of another', async (t) => {
  const edge = new EdgeConsumer(
    { clock: systemClock, log: silentLog, certificate: () => Promise.reject(new Error('none')) },
    { httpPort: 0, stopMs: 100, workers: 2 },
  );
  const backend = new RecordingBackend(serve);
  await edge.start();
  const port = edge.listening[0]!.port;
  const present = directory(1, [endpoint({ port: await backend.start() })]);
  edge.onReset(() => edge.apply(present).catch(() => {}));
  await edge.apply(present);
  t.teardown(async () => {
    await edge.stop();
    await backend.stop();
  });
  const clients: Recorded[] = [];
  const shares = async () => (await edge.reports()).map(({ stats }) => stats.openConnections);
  while (clients.length < 10 || Math.min(...(await shares())) === 0) {
    const client = await rawClient(port);
    client.send(get);
    await client.until('ok');
    clients.push(client);
  }
  const [victim] = await edge.reports();
  process.kill(victim!.worker, 'SIGKILL');
  const lost = victim!.stats.openConnections;
  while (clients.filter(({ closed, ended }) => closed.value || ended.value).length < lost)
    await new Promise((resolve) => setImmediate(resolve));
  const left = clients.filter(({ closed, ended }) => !closed.value && !ended.value);
  t.equal(left.length, clients.length - lost);
  for (const client of left) {
    client.send(get);
    await client.until('HTTP/1.1 200', 2);
    client.socket.destroy();
  }
  const late = new Recorded(connect({ port, host: '127.0.0.1' }));
  await once(late.socket, 'connect');
  late.send(get);
  await late.until('ok');
  late.socket.destroy();
});
