import t, { type Test } from 'tap';
import type { Handler, Reply } from './handler.ts';
import { status } from './handler.ts';
import { framed, query, TcpSession } from './testing/client.ts';
import { containerEndpoint, snapshot } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';
import { RCODE, rcodeOf } from './wire/types.ts';

const endpoints = Array.from({ length: 250 }, (_, i) =>
  containerEndpoint('/many', `i${i}`, { addresses: [{ network: 'weir', ip: `100.64.2.${i}` }] }),
);
const directory = snapshot(1, { endpoints });

async function session(t: Test, parts: Parameters<typeof runResolver>[1] = {}): Promise<TcpSession> {
  const { at } = await runResolver(t, { directory, ...parts });
  const opened = await TcpSession.open(at);
  t.teardown(() => opened.socket.destroy());
  return opened;
}

function closeAfter(t: Test, sessions: readonly TcpSession[]): void {
  t.teardown(() => {
    for (const { socket } of sessions) socket.destroy();
  });
}

t.test('21: a TCP connection answers several questions sent at once', async (t) => {
  const client = await session(t);
  client.send(...[1, 2, 3].map((id) => query('mesos', 'SOA', { id })));
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push((await client.next())?.id);
  t.same(ids, [1, 2, 3]);
});

t.test('21: a TCP question may arrive byte by byte', async (t) => {
  const client = await session(t);
  client.socket.setNoDelay(true);
  const bytes = framed(query('mesos', 'SOA', { id: 9 }));
  for (const byte of bytes) {
    await new Promise((resolve) => client.socket.write(Buffer.from([byte]), resolve));
  }
  t.equal((await client.next())?.id, 9);
});

t.test('21: a TCP segment may end inside the length of the next question', async (t) => {
  const client = await session(t);
  client.socket.setNoDelay(true);
  const bytes = Buffer.concat([1, 2].map((id) => framed(query('mesos', 'SOA', { id }))));
  const cut = bytes.length / 2 + 1;
  client.socket.write(bytes.subarray(0, cut));
  t.equal((await client.next())?.id, 1);
  client.socket.write(bytes.subarray(cut));
  t.equal((await client.next())?.id, 2);
});

t.test('21: a TCP client that ends its side still gets its answers, then the end', async (t) => {
  const client = await session(t);
  client.socket.end(Buffer.concat([1, 2].map((id) => framed(query('mesos', 'SOA', { id })))));
  t.equal((await client.next())?.id, 1);
  t.equal((await client.next())?.id, 2);
  t.equal(await client.next(), undefined);
});

t.test('a slow TCP answer does not hold up the ones after it', async (t) => {
  const held = Promise.withResolvers<Reply>();
  const slow: Handler = { name: 'slow', answer: () => held.promise };
  const client = await session(t, { parts: { forward: () => slow } });
  client.send(query('slow.example', 'A', { id: 1 }), query('mesos', 'SOA', { id: 2 }));
  t.equal((await client.next())?.id, 2);
  held.resolve(status(RCODE.NXDOMAIN));
  const late = await client.next();
  t.equal(late?.id, 1);
  t.equal(late && rcodeOf(late), RCODE.NXDOMAIN);
});

t.test('21: an idle TCP connection is closed', async (t) => {
  const client = await session(t, { server: { tcpIdleMs: 30 } });
  t.equal(await client.next(), undefined);
});

t.test('a TCP client that drips bytes without a whole question is closed all the same', async (t) => {
  const client = await session(t, { server: { tcpIdleMs: 60 } });
  const closed = new Promise((resolve) => client.socket.on('error', () => {}).on('close', resolve));
  const drip = setInterval(() => client.socket.write(Buffer.from([0])), 10);
  t.teardown(() => clearInterval(drip));
  client.socket.write(Buffer.from([0xff, 0xff]));
  await closed;
  t.pass('closed');
});

t.test('a full TCP server closes the quietest connection for a new one', async (t) => {
  const { at } = await runResolver(t, { directory, server: { tcpConnections: 2 } });
  const [first, second] = [await TcpSession.open(at), await TcpSession.open(at)];
  for (const client of [second, first]) {
    client.send(query('mesos', 'SOA'));
    await client.next();
  }
  const third = await TcpSession.open(at);
  closeAfter(t, [first, second, third]);
  third.send(query('mesos', 'SOA'));
  t.ok(await third.next());
  t.equal(await second.next(), undefined, 'the second asked longest ago');
  first.send(query('mesos', 'SOA'));
  t.ok(await first.next());
});

t.test('a TCP client that does not read holds up itself only', async (t) => {
  const { at } = await runResolver(t, { directory });
  const greedy = await TcpSession.open(at);
  const polite = await TcpSession.open(at);
  closeAfter(t, [greedy, polite]);
  const asked = 4_000;
  const large = framed(query('many.marathon.mesos', 'A'));
  greedy.socket.write(Buffer.concat(Array<Buffer>(asked).fill(large)));
  polite.send(query('mesos', 'SOA'));
  t.ok(await polite.next());
  let answered = 0;
  while (answered < asked && (await greedy.next()) !== undefined) answered += 1;
  t.equal(answered, asked, 'and loses nothing when it reads at last');
});
