import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { Watched } from '../../../core/kit/watched.ts';
import { listener, listenWith, ownRoute } from '../testing/listeners.ts';
import { endpoint } from '../testing/peers.ts';

/** Answers each datagram with its name and what it got. */
async function echoServer(t: Test, name: string): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (data, from) => socket.send(`${name} ${data}`, from.port, from.address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket.address().port;
}

class Client {
  readonly got = new Watched<readonly string[]>([]);
  readonly #socket: Socket;
  readonly #port: number;

  constructor(t: Test, port: number) {
    this.#port = port;
    this.#socket = createSocket('udp4').on('message', (data) =>
      this.got.set([...this.got.value, String(data)]),
    );
    t.teardown(() => this.#socket.close());
  }

  send(text: string): void {
    this.#socket.send(text, this.#port, '127.0.0.1');
  }

  /** The answer to a datagram, which is sent until one comes. */
  async ask(text: string): Promise<string> {
    this.send(text);
    const got = await this.got.until((all) => all.some((one) => one.endsWith(` ${text}`)));
    return got.find((one) => one.endsWith(` ${text}`))!;
  }
}

t.test(
  'datagrams of one client stay with one endpoint, and answers come from where it sent to',
  async (t) => {
    const ports = await Promise.all(['a', 'b', 'c'].map((name) => echoServer(t, name)));
    const { engine, port } = await listenWith(t, listener('udp'), { ports });
    const names = new Set<string>();
    for (let n = 0; n < 6; n++) {
      const client = new Client(t, port);
      const [first = ''] = (await client.ask('1')).split(' ');
      names.add(first);
      for (const text of ['2', '3']) t.equal(await client.ask(text), `${first} ${text}`);
    }
    t.equal(names.size, 3, 'all endpoints get flows');
    t.match((await engine.stats()).traffic?.listeners, [
      { connections: 6, open: 6, bytesIn: 18, bytesOut: 54 },
    ]);
    t.equal(
      [...(await engine.inFlight()).values()].reduce((sum, count) => sum + count, 0),
      6,
    );
  },
);

t.test(
  'with a hash the flows of an address go to one endpoint, as long as it carries no more than its share',
  async (t) => {
    const ports = await Promise.all(['a', 'b', 'c'].map((name) => echoServer(t, name)));
    const routes = [ownRoute('/web', { options: { balance: 'hash' } })];
    const wanted = listener('udp', { options: { idleMs: 50 } });
    const { engine, port } = await listenWith(t, wanted, { ports, routes });
    const names = new Set<string>();
    for (let n = 0; n < 4; n++) {
      names.add((await new Client(t, port).ask('1')).split(' ')[0]!);
      while ((await engine.inFlight()).size > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    t.equal(names.size, 1);
  },
);

t.test('a flow ends when it was quiet, and moves when its endpoint leaves', async (t) => {
  const ports = await Promise.all(['a', 'b'].map((name) => echoServer(t, name)));
  const { engine, apply, endpoints, port } = await listenWith(
    t,
    listener('udp', { options: { idleMs: 300 } }),
    {
      ports,
    },
  );
  const client = new Client(t, port);
  const [first] = (await client.ask('1')).split(' ');
  await apply(2, [endpoints[first === 'a' ? 1 : 0]!]);
  t.equal(await client.ask('2'), `${first === 'a' ? 'b' : 'a'} 2`);
  while ((await engine.inFlight()).size > 0) await new Promise((resolve) => setImmediate(resolve));
  t.match((await engine.stats()).traffic?.listeners, [{ connections: 2, open: 0 }]);
});

t.test('an endpoint that refuses is left alone: the next datagram goes elsewhere', async (t) => {
  const closed = createSocket('udp4').bind(0, '127.0.0.1');
  await once(closed, 'listening');
  const dead = closed.address().port;
  closed.close();
  const { apply, port } = await listenWith(t, listener('udp'), { ports: [dead] });
  const client = new Client(t, port);
  client.send('lost');
  const well = endpoint({ id: 'well', port: await echoServer(t, 'well') });
  await apply(2, [endpoint({ id: 'web-0', port: dead }), well]);
  for (let n = 0; client.got.value.length < 3; n++) {
    client.send(`${n}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.match(client.got.value[0], /^well /);
});

t.test('what has no route, no endpoint or no room gets no answer, and is counted', async (t) => {
  const ports = [await echoServer(t, 'a')];
  const { engine, apply, endpoints, port } = await listenWith(
    t,
    listener('udp', { options: { maxConnections: 1 } }),
    {
      ports,
    },
  );
  const [one, two] = [new Client(t, port), new Client(t, port)];
  await one.ask('1');
  two.send('2');
  const refusals = async (count: number) => {
    while ((await engine.stats()).traffic?.listeners[0]?.refused !== count)
      await new Promise((resolve) => setImmediate(resolve));
  };
  await refusals(1);
  await apply(2, endpoints, []);
  one.send('3');
  await refusals(2);
  t.same(two.got.value, []);
});
