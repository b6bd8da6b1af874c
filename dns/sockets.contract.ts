import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';
import { type ListenAddress, PortInUse } from '../core/kit/listen.ts';
import type { Client } from './handler.ts';
import type { SocketLayer } from './sockets.ts';
import { udpExchange } from './testing/client.ts';

/** What every SocketLayer must do. It sends to 127.0.0.1 and ::1 only. */
export function socketsContract(t: Test, layer: SocketLayer): void {
  const loopback = { address: '127.0.0.1', port: 0 };
  const echo = (packet: Uint8Array) => Uint8Array.from([...packet, 33]);

  t.test('it answers a datagram, and says who sent it', async (t) => {
    const clients: Client[] = [];
    const socket = await layer.open(loopback, (packet, client) => {
      clients.push(client);
      return echo(packet);
    });
    t.teardown(() => socket.close());
    t.equal((await udpExchange(socket, Buffer.from('hello'))).toString(), 'hello!');
    t.match(clients, [{ address: '127.0.0.1', port: Number, transport: 'udp' }]);
    t.ok(socket.port > 0, 'the port that was chosen');
  });

  t.test('it sends nothing for undefined', async (t) => {
    const socket = await layer.open(loopback, (packet) => (packet[0] === 0 ? undefined : echo(packet)));
    t.teardown(() => socket.close());
    const replies = await exchange(socket, { sends: [Buffer.from([0]), Buffer.from([1])], replies: 1 });
    t.same(replies, [Buffer.from([1, 33])]);
  });

  t.test('it answers in any order when answers come later', async (t) => {
    const held = Promise.withResolvers<Uint8Array>();
    const socket = await layer.open(loopback, (packet) => {
      if (packet[0] === 1) return held.promise;
      held.resolve(Uint8Array.from([1]));
      return Uint8Array.from([2]);
    });
    t.teardown(() => socket.close());
    const replies = await exchange(socket, { sends: [Buffer.from([1]), Buffer.from([2])], replies: 2 });
    t.same(
      replies.map((reply) => reply[0]),
      [2, 1],
    );
  });

  t.test('a packet keeps its bytes while its answer is awaited', async (t) => {
    const held = Promise.withResolvers<void>();
    const socket = await layer.open(loopback, async (packet) => {
      if (packet[0] === 2) held.resolve();
      await held.promise;
      return packet;
    });
    t.teardown(() => socket.close());
    const replies = await exchange(socket, { sends: [Buffer.from([1]), Buffer.from([2])], replies: 2 });
    t.same(replies.map((reply) => reply[0]).sort(), [1, 2]);
  });

  t.test('it takes and sends datagrams of 4096 bytes', async (t) => {
    const socket = await layer.open(loopback, (packet) => packet);
    t.teardown(() => socket.close());
    const large = Buffer.alloc(4_096, 7);
    t.same(await udpExchange(socket, large), large);
  });

  t.test('it answers over IPv6', async (t) => {
    const socket = await layer.open({ address: '::1', port: 0 }, echo);
    t.teardown(() => socket.close());
    t.equal((await udpExchange(socket, Buffer.from('hello'))).toString(), 'hello!');
  });

  t.test('it says when the port is taken', async (t) => {
    const socket = await layer.open(loopback, echo);
    t.teardown(() => socket.close());
    const taken = { address: '127.0.0.1', port: socket.port };
    await t.rejects(layer.open(taken, echo), {
      constructor: PortInUse,
      code: 'WEIR_PORT_IN_USE',
      message: `Cannot listen on 127.0.0.1:${socket.port} (udp): another process has the port`,
    });
  });

  t.test('it says when the address is not of this machine', async (t) => {
    for (const address of ['203.0.113.1', '2001:db8::1', 'fe80::1%lo']) {
      await t.rejects(layer.open({ address, port: 0 }, echo), { code: 'WEIR_CANNOT_LISTEN' });
    }
  });

  t.test('a closed port can be opened again', async (t) => {
    const first = await layer.open(loopback, echo);
    await first.close();
    const second = await layer.open({ address: '127.0.0.1', port: first.port }, echo);
    t.teardown(() => second.close());
    t.equal((await udpExchange(second, Buffer.from('x'))).toString(), 'x!');
  });
}

/** Sends the packets from one port, in order, and gives the replies in order of arrival. */
async function exchange(
  at: ListenAddress,
  { sends, replies }: { sends: readonly Buffer[]; replies: number },
): Promise<readonly Buffer[]> {
  const socket = createSocket('udp4');
  try {
    socket.connect(at.port, at.address);
    await once(socket, 'connect');
    const arrived: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (reply) => {
        arrived.push(reply);
        if (arrived.length === replies) resolve();
      });
    });
    for (const packet of sends) socket.send(packet);
    await all;
    return arrived;
  } finally {
    socket.close();
  }
}
