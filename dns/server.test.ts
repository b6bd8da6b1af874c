import { networkInterfaces } from 'node:os';
import t, { type Test } from 'tap';
import { plainSockets } from './plain-sockets.ts';
import { DnsServer } from './server.ts';
import { query, TcpSession, udpExchange } from './testing/client.ts';

const any = { address: '127.0.0.1', port: 0 };
const limits = { idleMs: 5_000, connections: 10 };

/** A server that gives each query back, as a response. */
function echoServer(t: Test): DnsServer {
  const respond = (packet: Uint8Array) => packet.map((byte, at) => (at === 2 ? byte | 0x80 : byte));
  const server = new DnsServer({ respond, sockets: plainSockets, tcp: limits });
  t.teardown(() => server.stop());
  return server;
}

t.test('a server answers UDP and TCP on one port', async (t) => {
  const [at] = await echoServer(t).listen([any]);
  t.ok((await udpExchange(at!, query('x', 'A'))).length > 12);
  const session = await TcpSession.open(at!);
  t.teardown(() => session.socket.destroy());
  session.send(query('x', 'A', { id: 5 }));
  t.equal((await session.next())?.id, 5);
});

t.test('a server keeps the addresses that are wanted again, and closes the others', async (t) => {
  const server = echoServer(t);
  const [first, second] = await server.listen([any, any]);
  const session = await TcpSession.open(first!);
  const closed = await TcpSession.open(second!);
  t.teardown(() => session.socket.destroy());
  t.same(await server.listen([first!]), [first]);
  session.send(query('x', 'A', { id: 6 }));
  t.equal((await session.next())?.id, 6, 'its connections go on');
  t.equal(await closed.next(), undefined);
});

t.test('a server that cannot open one address opens none of the new ones and keeps the old', async (t) => {
  const server = echoServer(t);
  const [first] = await server.listen([any]);
  const fresh = { address: '127.0.0.7', port: first!.port };
  const foreign = { address: '203.0.113.1', port: first!.port };
  await t.rejects(server.listen([fresh, foreign]), { code: 'WEIR_CANNOT_LISTEN', protocol: 'udp' });
  t.ok(await udpExchange(first!, query('x', 'A')));
  t.same(await server.listen([first!, fresh]), [first, fresh], 'the port is free again');
});

t.test('changes of the addresses wait for each other', async (t) => {
  const server = echoServer(t);
  const [first] = await server.listen([any]);
  const lists = [[first!], [], [first!]];
  const results = await Promise.all(lists.map((wanted) => server.listen(wanted)));
  t.same(results, lists);
  t.ok(await udpExchange(first!, query('x', 'A')));
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

t.test('a server answers on IPv6', { skip: hasIpv6 ? false : 'needs IPv6' }, async (t) => {
  const [at] = await echoServer(t).listen([{ address: '::1', port: 0 }]);
  t.ok(await udpExchange(at!, query('x', 'A')));
  const session = await TcpSession.open(at!);
  t.teardown(() => session.socket.destroy());
  session.send(query('x', 'A', { id: 7 }));
  t.equal((await session.next())?.id, 7);
});
