import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { systemClock } from '../core/kit/clock.ts';
import type { ListenAddress } from '../core/kit/listen.ts';
import { silentLog } from '../core/kit/log.ts';
import { applyDelta, emptyDirectory } from '../core/model/directory.ts';
import { DnsConsumer } from './consumer.ts';
import { askUdp, decoded, framed, query, TcpSession } from './testing/client.ts';
import { containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { edns, OPTION_COOKIE, optionBytes } from './wire/edns.ts';
import { RCODE, rcodeOf } from './wire/types.ts';

/** What strangers may do to a resolver: it neither falls nor hangs, is no weapon, and others are served. */
const seconds = Number(process.env['WEIR_FLOOD_SECONDS'] ?? 2);
const perSecond = 10_000;
const burst = 200;
const endpoints = Array.from({ length: 60 }, (_, i) =>
  containerEndpoint('/many', `i${i}`, { addresses: [{ network: 'weir', ip: `100.64.2.${i}` }] }),
);
const directory = applyDelta(emptyDirectory, snapshot(1, { endpoints, vips: [vip('/web', ['web.weir'])] }));

async function resolver(t: Test) {
  const dns = new DnsConsumer(
    { clock: systemClock, log: silentLog },
    { listen: [{ address: '127.0.0.1', port: 0 }] },
  );
  await dns.start();
  t.teardown(() => dns.stop());
  await dns.apply(directory, undefined);
  const pid = dns.workerPid;
  return { dns, at: dns.bound[0]!, unharmed: () => t.equal(dns.workerPid, pid, 'it is the same process') };
}

type Flood = { sent: number; came: number; left: number };

/** Sends `make(n)` at the rate, from one address, and counts bytes both ways. */
async function flood(at: ListenAddress, make: (n: number) => Uint8Array): Promise<Flood> {
  const socket = createSocket('udp4');
  socket.connect(at.port, at.address);
  await once(socket, 'connect');
  const flood: Flood = { sent: 0, came: 0, left: 0 };
  socket.on('message', (reply) => {
    flood.left += reply.length;
  });
  // a full queue of ours is not the resolver's fault
  socket.on('error', () => {});
  const begin = performance.now();
  for (const end = begin + seconds * 1_000; performance.now() < end; await pause(5)) {
    const due = ((performance.now() - begin) / 1_000) * perSecond;
    // a machine that is behind does not catch up in one burst
    for (let left = burst; left > 0 && flood.sent < due; left--)
      flood.came += send(socket, make(flood.sent++));
  }
  socket.close();
  return flood;
}

function send(socket: Socket, packet: Uint8Array): number {
  socket.send(packet);
  return packet.length;
}

/** `again`: questions that were asked more than once. ms. */
type Honest = { answered: number; lost: number; again: number; p99: number };

/** An honest client, until the promise settles. It asks up to three times, a second each, as C libraries do. */
async function served(at: ListenAddress, during: Promise<unknown>): Promise<Honest> {
  let over = false;
  during.finally(() => {
    over = true;
  });
  const waits: number[] = [];
  const counts = { answered: 0, lost: 0, again: 0 };
  while (!over) {
    const from = performance.now();
    const isAnsweredAtOnce = await asks(at);
    const isAnswered = isAnsweredAtOnce || (await asks(at)) || (await asks(at));
    waits.push(performance.now() - from);
    counts[isAnswered ? 'answered' : 'lost'] += 1;
    if (!isAnsweredAtOnce) counts.again += 1;
    await pause(10);
  }
  const p99 = waits.sort((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? 0;
  return { ...counts, p99: Math.round(p99 * 10) / 10 };
}

async function asks(at: ListenAddress): Promise<boolean> {
  const socket = createSocket('udp4');
  socket.connect(at.port, at.address);
  try {
    await once(socket, 'connect');
    const signal = AbortSignal.timeout(1_000);
    socket.send(query('web.weir', 'A'));
    const [reply] = await once(socket, 'message', { signal });
    return decoded(reply).answers.length === 1;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

/** Cheap chance that is the same in every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const pointers = (count: number) =>
  Array.from({ length: count }, (_, i) => [0xc0 | ((12 + 2 * i) >> 8), (12 + 2 * i) & 255]).flat();
const head = (questions: number, additionals: number) => [
  0,
  1,
  1,
  0,
  0,
  questions,
  0,
  0,
  0,
  0,
  additionals >> 8,
  additionals,
];
const seeds: readonly Uint8Array[] = [
  query('web.weir', 'A'),
  query('_many._tcp.marathon.mesos', 'SRV', { edns: edns(4_096) }),
  query('many.marathon.mesos', 'ANY', {
    edns: edns(1_232, { options: optionBytes([{ code: OPTION_COOKIE, data: new Uint8Array(8) }]) }),
  }),
  query('x.y.z.in-addr.arpa', 'PTR'),
  query('.', 'NS'),
  // the 18 bytes that hang another library: a name that points to itself
  Uint8Array.from([...head(1, 0), 0xc0, 12, 0, 1, 0, 1]),
  // a chain of pointers, and records whose owners are the end of it
  Uint8Array.from([...head(1, 0), 0, ...pointers(500)]),
  Uint8Array.from([
    ...head(1, 255),
    ...[63, ...Array<number>(63).fill(97), 0, 0, 1, 0, 1],
    ...Array.from({ length: 100 }, () => [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]).flat(),
  ]),
];

function mutated(random: () => number): Uint8Array {
  const packet = Buffer.from(seeds[Math.floor(random() * seeds.length)]!);
  for (let changes = Math.floor(random() * 6); changes > 0; changes--) {
    packet[Math.floor(random() * packet.length)] = Math.floor(random() * 256);
  }
  return random() < 0.2 ? packet.subarray(0, Math.floor(random() * packet.length)) : packet;
}

t.test('ten thousand mutated packets a second: no crash, no hang, no weapon, others served', async (t) => {
  const { at, unharmed } = await resolver(t);
  const random = chance(42);
  const flooding = flood(at, () => mutated(random));
  const [{ sent, came, left }, honest] = await Promise.all([flooding, served(at, flooding)]);
  t.comment(`${sent} packets, ${came} bytes in, ${left} out; honest: ${JSON.stringify(honest)}`);
  t.ok(sent >= (perSecond * seconds) / 4, 'a flood');
  t.ok(left <= 2 * came, `${left} of ${came} bytes`);
  t.ok(honest.lost === 0 && honest.answered > 0, JSON.stringify(honest));
  unharmed();
});

t.test('a flood of questions with large answers gets at most twice what it sends', async (t) => {
  const { at, unharmed } = await resolver(t);
  const questions = [
    query('_many._tcp.marathon.mesos', 'SRV', { edns: edns(4_096) }),
    query('many.marathon.mesos', 'A', { edns: edns(4_096) }),
    query('many.marathon.mesos', 'ANY', { edns: edns(4_096) }),
    query('nobody.weir', 'A'),
  ];
  const flooding = flood(at, (n) => questions[n % questions.length]!);
  const [{ came, left }, honest] = await Promise.all([flooding, served(at, flooding)]);
  t.comment(`${came} bytes in, ${left} out; honest: ${JSON.stringify(honest)}`);
  t.ok(left <= 2 * came, `${left} of ${came} bytes`);
  t.ok(honest.lost === 0 && honest.answered > 0, JSON.stringify(honest));
  unharmed();
});

t.test('a name that points to itself and names of nothing but pointers are malformed', async (t) => {
  const { at, unharmed } = await resolver(t);
  const session = await TcpSession.open(at);
  t.teardown(() => session.socket.destroy());
  for (const bomb of seeds.slice(5)) {
    session.send(bomb);
    t.equal(rcodeOf((await session.next())!), RCODE.FORMERR);
  }
  unharmed();
});

t.test('connections that ask and never read are bounded, and others are served', async (t) => {
  const { at, unharmed } = await resolver(t);
  const large = framed(query('_many._tcp.marathon.mesos', 'SRV'));
  const greedy = await Promise.all(Array.from({ length: 50 }, () => TcpSession.open(at)));
  t.teardown(() => {
    for (const { socket } of greedy) socket.destroy();
  });
  for (const { socket } of greedy) {
    socket.pause();
    socket.on('error', () => {});
    for (let i = 0; i < 400; i++) socket.write(large);
  }
  for (let i = 0; i < 20; i++) {
    const session = await TcpSession.open(at);
    session.send(query('web.weir', 'A', { id: i }));
    t.equal((await session.next())?.id, i);
    session.socket.destroy();
    t.equal((await askUdp(at, 'web.weir', 'A')).answers.length, 1);
  }
  unharmed();
});

t.test('an address that opens a thousand connections does not drive out another’s', async (t) => {
  const { at, unharmed } = await resolver(t);
  const other = await TcpSession.open(at);
  const opened: TcpSession[] = [];
  t.teardown(() => {
    for (const { socket } of [other, ...opened]) socket.destroy();
  });
  for (let i = 0; i < 1_000; i++) {
    const session = await TcpSession.open(at);
    session.socket.on('error', () => {});
    opened.push(session);
    if (i % 50 === 0) {
      other.send(query('web.weir', 'A', { id: i }));
      t.equal((await other.next())?.id, i);
    }
  }
  unharmed();
});
