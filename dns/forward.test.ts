import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { forwardHandler } from './handlers/forward.ts';
import type { ForwardOptions, Upstream } from './options.ts';
import { askUdp, framed } from './testing/client.ts';
import { runResolver } from './testing/resolver.ts';
import { decodeMessage } from './wire/decode.ts';
import { encodeMessage } from './wire/encode.ts';
import { CLASS, FLAG, type Message, RCODE, rcodeOf } from './wire/types.ts';

type Change = (reply: Message) => Partial<Message> | undefined;

/** An upstream on 127.0.0.1 that says `192.0.2.1` to everything, changed; undefined: silence. UDP and TCP. */
async function upstream(t: Test, change: Change = () => ({}), overTcp: Change = () => ({})) {
  const asked: Message[] = [];
  const reply = (packet: Uint8Array, how: Change): Buffer | undefined => {
    const read = decodeMessage(packet);
    if (read.kind !== 'message') return undefined;
    asked.push(read.message);
    const { id, question } = read.message;
    const name = question?.name ?? '';
    const answers = [{ type: 'A', name, class: CLASS.IN, ttl: 9, address: '192.0.2.1' }] as const;
    const flags = FLAG.QR | FLAG.RD | FLAG.RA;
    const plain = { id, flags, question, answers, authorities: [], additionals: [], edns: undefined };
    const parts = how(plain);
    return parts === undefined ? undefined : encodeMessage({ ...plain, ...parts });
  };
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  await once(udp, 'listening');
  udp.on('message', (packet, from) => {
    const bytes = reply(packet, change);
    if (bytes !== undefined) udp.send(bytes, from.port, from.address);
  });
  const { port } = udp.address();
  const tcp = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      const bytes = reply(Buffer.from(chunk).subarray(2), overTcp);
      if (bytes !== undefined) socket.write(framed(bytes));
    });
  }).listen(port, '127.0.0.1');
  await once(tcp, 'listening');
  t.teardown(() => {
    udp.close();
    tcp.close();
  });
  return { at: { address: '127.0.0.1', port } satisfies Upstream, asked };
}

async function resolver(t: Test, options: Partial<ForwardOptions>) {
  const forward = { upstreams: [], zones: {}, timeoutMs: 400, ...options };
  const { at } = await runResolver(t, {
    parts: { forward: (counters) => forwardHandler(forward, counters) },
  });
  return at;
}

const code =
  (rcode: number): Change =>
  (reply) => ({ flags: reply.flags | rcode, answers: [] });

t.test('a name outside our zones is asked for, and the answer is not authoritative', async (t) => {
  const { at: server } = await upstream(t);
  const at = await resolver(t, { upstreams: [server] });
  const reply = await askUdp(at, 'example.com', 'A');
  t.match(reply.answers, [{ name: 'example.com', address: '192.0.2.1', ttl: 9 }]);
  t.equal(reply.flags & (FLAG.AA | FLAG.RA), FLAG.RA);
});

t.test('our own names are never asked elsewhere', async (t) => {
  const { at: server, asked } = await upstream(t);
  const at = await resolver(t, { upstreams: [server] });
  for (const name of ['x.weir', 'x.mesos', 'x.thisdcos.global', 'localhost']) await askUdp(at, name, 'A');
  t.equal(asked.length, 0);
});

t.test('a question without RD is not passed on', async (t) => {
  const { at: server, asked } = await upstream(t);
  const at = await resolver(t, { upstreams: [server] });
  t.equal(rcodeOf(await askUdp(at, 'example.com', 'A', { flags: 0 })), RCODE.REFUSED);
  t.equal(asked.length, 0);
});

t.test('the longest matching zone decides who is asked', async (t) => {
  const [all, org, deep] = [await upstream(t), await upstream(t), await upstream(t)];
  const zones = { org: [org.at], 'deep.org': [deep.at] };
  const at = await resolver(t, { upstreams: [all.at], zones });
  for (const name of ['a.deep.org', 'deep.org', 'xdeep.org', 'example.com']) await askUdp(at, name, 'A');
  const names = [all, org, deep].map(({ asked }) => asked.map((message) => message.question?.name));
  t.same(names, [['example.com'], ['xdeep.org'], ['a.deep.org', 'deep.org']]);
});

t.test('26: an upstream that fails, refuses or is silent is followed by the next', async (t) => {
  const good = await upstream(t);
  for (const change of [code(RCODE.SERVFAIL), code(RCODE.REFUSED), () => undefined]) {
    const bad = await upstream(t, change);
    const at = await resolver(t, { upstreams: [bad.at, good.at] });
    t.equal((await askUdp(at, 'example.com', 'A')).answers.length, 1);
    t.equal(bad.asked.length, 1);
  }
});

t.test('27: NXDOMAIN is an answer, and all upstreams failing is SERVFAIL', async (t) => {
  const [none, bad] = [await upstream(t, code(RCODE.NXDOMAIN)), await upstream(t, () => undefined)];
  const first = await resolver(t, { upstreams: [none.at, bad.at] });
  t.equal(rcodeOf(await askUdp(first, 'example.com', 'A')), RCODE.NXDOMAIN);
  const second = await resolver(t, { upstreams: [bad.at] });
  t.equal(rcodeOf(await askUdp(second, 'example.com', 'A')), RCODE.SERVFAIL);
});

t.test('25: a reply with another id, question or letter case is not believed', async (t) => {
  const raw = (reply: Message) => Uint8Array.from(reply.question?.raw ?? []);
  const lies: readonly Change[] = [
    (reply) => ({ id: reply.id ^ 1 }),
    (reply) => ({ question: { name: 'other.com', type: 1, class: reply.question?.class ?? 1 } }),
    // the query's letters are of random case; another case is another question
    (reply) => ({
      question: { ...reply.question!, raw: raw(reply).map((byte) => (byte > 64 ? byte ^ 32 : byte)) },
    }),
    (reply) => ({ flags: reply.flags & ~FLAG.QR }),
  ];
  for (const lie of lies) {
    const bad = await upstream(t, lie);
    const at = await resolver(t, { upstreams: [bad.at] });
    t.equal(rcodeOf(await askUdp(at, 'example.com', 'A')), RCODE.SERVFAIL);
  }
});

t.test('an answer that was cut is asked for again by TCP', async (t) => {
  const cut: Change = (reply) => ({ flags: reply.flags | FLAG.TC, answers: [] });
  const { at: server, asked } = await upstream(t, cut);
  const at = await resolver(t, { upstreams: [server] });
  const reply = await askUdp(at, 'example.com', 'A');
  t.equal(reply.answers.length, 1);
  t.notOk(reply.flags & FLAG.TC);
  t.equal(asked.length, 2);
});
