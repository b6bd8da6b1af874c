import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { listener, listenWith, ownRoute } from '../testing/listeners.ts';
import { Recorded, rawClient } from '../testing/peers.ts';

const echo = (recorded: Recorded) => {
  const { value } = recorded.text;
  recorded.send(value.slice(recorded.answered));
  recorded.answered = value.length;
};

/** A port that nobody listens on. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

t.test('a TCP listener carries bytes both ways, and counts them', async (t) => {
  const { engine, port, backends } = await listenWith(t, listener('tcp'), { answers: [echo] });
  const client = await rawClient(port);
  client.send('hello\n');
  t.equal(await client.until('hello\n'), 'hello\n');
  t.same(await engine.inFlight(), new Map([['web-0', 1]]));
  client.socket.end();
  await backends[0]!.connections.value[0]!.ended.until((ended) => ended);
  backends[0]!.connections.value[0]!.socket.end('bye');
  await client.ended.until((ended) => ended);
  t.equal(client.text.value, 'hello\nbye', 'the other half went on');
  await client.closed.until((closed) => closed);
  const { traffic } = await engine.stats();
  t.match(traffic?.listeners, [{ listener: 'l4', connections: 1, refused: 0, bytesIn: 6, bytesOut: 9 }]);
  t.match(traffic?.endpoints, [{ streams: { connections: 1, bytesIn: 6, bytesOut: 9 } }]);
  t.same(await engine.inFlight(), new Map());
});

t.test('the server of a TCP listener may speak first', async (t) => {
  const server = createServer((socket) => socket.end('220 ready\r\n')).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port: to } = server.address() as { port: number };
  const { port } = await listenWith(t, listener('tcp'), { ports: [to] });
  const client = await rawClient(port);
  t.equal(await client.until('\n'), '220 ready\r\n');
});

t.test(
  'a connection goes to another endpoint when one does not take it, and that one is left alone',
  async (t) => {
    const { engine, port } = await listenWith(t, listener('tcp'), {
      answers: [echo],
      ports: [await deadPort()],
    });
    for (let n = 0; n < 4; n++) {
      const client = await rawClient(port);
      client.send('x');
      t.equal(await client.until('x'), 'x');
      client.socket.destroy();
    }
    const { connectFailures, traffic } = await engine.stats();
    t.equal(connectFailures, 1);
    t.match(
      traffic?.endpoints.find(({ endpoint }) => endpoint.startsWith('web-1')),
      { ejected: true },
    );
  },
);

/** The reset may come before the client knows that it is connected. */
async function isRefused(t: Test, port: number): Promise<void> {
  const client = new Recorded(connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
  await client.closed.until((closed) => closed);
  t.equal(client.text.value, '');
}

t.test('without an endpoint that takes it, a route or permission a connection is reset', async (t) => {
  const dead = await listenWith(t, listener('tcp'), { ports: [await deadPort()] });
  await isRefused(t, dead.port);
  const none = await listenWith(t, listener('tcp'), { routes: [] });
  await isRefused(t, none.port);
  const barred = await listenWith(t, listener('tcp'), {
    answers: [echo],
    routes: [ownRoute('/web', { options: { allow: ['10.0.0.0/8'] } })],
  });
  await isRefused(t, barred.port);
  t.match((await barred.engine.stats()).traffic?.listeners, [{ refused: 1 }]);
});

t.test(
  'a TCP listener takes no more than its most connections, and closes those that are quiet',
  async (t) => {
    const options = { maxConnections: 1, idleMs: 300 };
    const { port } = await listenWith(t, listener('tcp', { options }), { answers: [echo] });
    const first = await rawClient(port);
    first.send('x');
    await first.until('x');
    await isRefused(t, port);
    await first.closed.until((closed) => closed);
    const third = await rawClient(port);
    third.send('y');
    t.equal(await third.until('y'), 'y');
    third.socket.destroy();
  },
);

t.test('a connection whose route is deleted has its time and is closed; new ones are refused', async (t) => {
  const settings = { drainMs: 300 };
  const { apply, endpoints, port } = await listenWith(t, listener('tcp'), { answers: [echo], settings });
  const client = await rawClient(port);
  client.send('a');
  await client.until('a');
  await apply(2, endpoints, []);
  client.send('b');
  t.equal(await client.until('b'), 'ab');
  await isRefused(t, port);
  await client.closed.until((closed) => closed);
});

t.test('a listener that is shut takes no more, and others go on', async (t) => {
  const { engine, port } = await listenWith(t, listener('tcp'), {
    answers: [echo],
    settings: { drainMs: 300 },
  });
  await engine.open(listener('tcp', { id: 'other', table: 'l4' }));
  const [one, two] = [await rawClient(port), await rawClient(engine.portOf('other')!)];
  for (const client of [one, two]) {
    client.send('x');
    await client.until('x');
  }
  engine.shut('l4');
  await t.rejects(rawClient(port), { code: 'ECONNREFUSED' });
  one.send('y');
  t.equal(await one.until('y'), 'xy', 'what is there goes on for its time');
  await one.closed.until((closed) => closed);
  two.send('y');
  t.equal(await two.until('y'), 'xy');
  two.socket.destroy();
});

t.test('a reader that is slow holds the writer, and nothing is lost', async (t) => {
  const total = 24 * 1024 * 1024;
  let sent = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const more = () => {
      while (sent < total) {
        const chunk = Buffer.alloc(Math.min(65_536, total - sent), 'x');
        sent += chunk.length;
        if (!socket.write(chunk)) return;
      }
      socket.end();
    };
    socket.on('drain', more);
    more();
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port: to } = server.address() as { port: number };
  const { port } = await listenWith(t, listener('tcp'), { ports: [to] });
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.pause();
  // Until nothing has moved for many turns.
  for (let still = 0, before = -1; still < 2_000; before = sent) {
    await new Promise((resolve) => setImmediate(resolve));
    still = before === sent && sent > 0 ? still + 1 : 0;
  }
  t.ok(sent < total, `${sent} of ${total} were taken while nobody read`);
  let got = 0;
  socket.on('data', (chunk) => {
    got += chunk.length;
  });
  socket.resume();
  await once(socket, 'end');
  t.equal(got, total);
  socket.destroy();
});

t.test('a listener of http has its own routes and not the shared ones', async (t) => {
  const { engine, port } = await listenWith(t, listener('http', { table: 'l4' }), {
    answers: [(recorded) => recorded.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')],
    routes: [
      ownRoute('/web', { host: 'own.test' }),
      { ...ownRoute('/web', { host: 'shared.test' }), table: 'other' },
    ],
  });
  await engine.start();
  const statusAt = async (at: number, host: string) => {
    const client = await rawClient(at);
    client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const text = await client.until('\r\n\r\n');
    client.socket.destroy();
    return text.slice(9, 12);
  };
  t.equal(await statusAt(port, 'own.test'), '200');
  t.equal(await statusAt(port, 'shared.test'), '404');
  t.equal(await statusAt(engine.listening.find(({ id }) => id === '*http')!.port, 'own.test'), '404');
});
