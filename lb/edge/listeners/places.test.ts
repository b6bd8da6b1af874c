import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { silentLog } from '../../../core/kit/log.ts';
import { applyDelta, type Directory } from '../../../core/model/directory.ts';
import type { Listener } from '../../../core/model/listener.ts';
import { EdgeConsumer } from '../consumer.ts';
import { listener, ownRoute } from '../testing/listeners.ts';
import { answerEach, directory, endpoint, RecordingBackend, rawClient } from '../testing/peers.ts';

const get = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';
const base = directory(1, []);

function withListeners(
  revision: number,
  port: number,
  listeners: readonly Listener[],
  ready = true,
): Directory {
  const endpoints = { set: [endpoint({ port, ready })], gone: [] };
  const routes = { set: [...base.routes.values(), ownRoute('/web')], gone: [] };
  return applyDelta(base, { from: 0, revision, endpoints, routes, listeners: { set: listeners, gone: [] } });
}

async function setUp(t: Test) {
  const noCertificate = () => Promise.reject(new Error('none'));
  const edge = new EdgeConsumer(
    { clock: systemClock, log: silentLog, certificate: noCertificate },
    { httpPort: 0, stopMs: 100 },
  );
  const backend = new RecordingBackend(answerEach());
  const port = await backend.start();
  await edge.start();
  t.teardown(async () => {
    await edge.stop();
    await backend.stop();
  });
  return { edge, backendPort: port };
}

async function isServed(port: number): Promise<boolean> {
  const client = await rawClient(port);
  client.send(get);
  const text = await client.until('\r\n\r\n');
  client.socket.destroy();
  return text.startsWith('HTTP/1.1 200');
}

async function taken(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as { port: number }).port };
}

function portOf(edge: EdgeConsumer, id: string): number | undefined {
  return edge.listeners().find((one) => one.id === id)?.at?.port;
}

t.test('listeners come and go with the Directory, and others are not touched', async (t) => {
  const { edge, backendPort } = await setUp(t);
  const [tcp, http] = [listener('tcp'), listener('http', { id: 'more' })];
  await edge.apply(withListeners(1, backendPort, [tcp, http]));
  const kept = await rawClient(portOf(edge, 'l4')!);
  kept.send(get);
  await kept.until('ok');
  t.ok(await isServed(portOf(edge, 'more')!));
  const before = portOf(edge, 'more')!;
  await edge.apply(withListeners(2, backendPort, [tcp]));
  t.same(
    edge.listeners().map(({ id }) => id),
    ['l4'],
  );
  const late = connect({ port: before, host: '127.0.0.1' });
  await t.rejects(once(late, 'connect'), { code: 'ECONNREFUSED' });
  kept.send(get);
  await kept.until('ok', 2);
  kept.socket.destroy();
});

t.test('the way of a request begins at the listener of its port, with the routes of that one', async (t) => {
  const { edge, backendPort } = await setUp(t);
  await edge.apply(withListeners(1, backendPort, [listener('http', { table: 'l4' })]));
  const url = `http://any.test:${portOf(edge, 'l4')}/`;
  t.match(await edge.why({ url }), [{ link: 'listener' }, { link: 'route', ok: true, says: /^\* \/web/ }]);
  t.match(await edge.why({ url: 'http://any.test/' }), [{ link: 'listener' }, { link: 'route', ok: false }]);
});

t.test('a port that is taken is a problem of that listener alone, and is tried again', async (t) => {
  const { edge, backendPort } = await setUp(t);
  const { server, port } = await taken();
  const wanted = [listener('tcp', { id: 'late', port, table: 'l4' }), listener('tcp')];
  t.equal(await edge.apply(withListeners(3, backendPort, wanted)), 3);
  t.match(edge.listeners(), [
    { id: 'late', problem: new RegExp(`Cannot listen on 127.0.0.1:${port} .*another process has the port`) },
    { id: 'l4', at: { address: '127.0.0.1' } },
  ]);
  t.ok(await isServed(portOf(edge, 'l4')!));
  server.close();
  await once(server, 'close');
  while (portOf(edge, 'late') === undefined) await new Promise((resolve) => setImmediate(resolve));
  t.ok(await isServed(port));
});

t.test('a listener of a service is open while the service has an endpoint', async (t) => {
  const { edge, backendPort } = await setUp(t);
  const wanted = [listener('tcp', { whileServed: { appId: '/web', portIndex: 0 } })];
  await edge.apply(withListeners(1, backendPort, wanted, false));
  t.same(edge.listeners(), [{ id: 'l4' }], 'it waits');
  await edge.apply(withListeners(2, backendPort, wanted));
  t.ok(await isServed(portOf(edge, 'l4')!));
  await edge.apply(withListeners(3, backendPort, wanted, false));
  t.same(edge.listeners(), [{ id: 'l4' }]);
});

t.test(
  'after a worker was killed every place is served again, and nobody was refused meanwhile',
  async (t) => {
    const { edge, backendPort } = await setUp(t);
    const first = withListeners(1, backendPort, [listener('tcp')]);
    await edge.apply(first);
    edge.onReset(() => edge.apply(first).catch(() => {}));
    const port = portOf(edge, 'l4')!;
    t.ok(await isServed(port));
    process.kill(edge.pids[0]!, 'SIGKILL');
    // Once the kernel has closed what the worker had, new connections wait in the queue of the place.
    const results: boolean[] = [];
    while (results.length < 50) {
      const socket = connect({ port, host: '127.0.0.1' });
      await once(socket, 'connect');
      results.push(true);
      socket.destroy();
    }
    t.equal(portOf(edge, 'l4'), port);
    t.ok(await isServed(port));
  },
);
