import assert from 'node:assert/strict';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { ListenAddress } from '../core/kit/listen.ts';
import { defaultZoneOptions, type ZoneOptions } from './options.ts';
import { plainRecord } from './plain-reply.ts';
import { decoded, query, TcpSession, udpExchange } from './testing/client.ts';
import { agent, containerEndpoint, hostEndpoint, snapshot, vip } from './testing/directory.ts';
import { bind, isInstalled, knot, type Peer, startPeer } from './testing/peers.ts';
import { allRecords } from './testing/records.ts';
import { runResolver } from './testing/resolver.ts';
import { edns } from './wire/edns.ts';
import { dnsPacketLines, ourLines } from './wire/testing/oracle.ts';
import { CLASS, FLAG, type Message, type Name, type ResourceRecord, rcodeOf } from './wire/types.ts';
import { Zone } from './zone.ts';

/** Other name servers with the same records say the same to any question: code, flags and the records of each section. */
const records: ZoneOptions['records'] = [
  { name: 'www.weir', type: 'CNAME', target: 'web.shop.weir' },
  { name: 'hop.weir', type: 'CNAME', target: 'www.weir' },
  { name: 'lost.weir', type: 'CNAME', target: 'nothing.weir' },
  { name: 'db.weir', type: 'TXT', text: 'kept "by hand"; always' },
  { name: 'db.weir', ttl: 60, type: 'AAAA', address: 'fd00::db' },
  { name: '_ldap._tcp.weir', type: 'SRV', priority: 1, weight: 2, port: 389, target: 'db.weir' },
];
const options: ZoneOptions = { ...defaultZoneOptions, records };
const at = (ip: string) => ({ addresses: [{ network: 'weir', ip }] });
const directory = snapshot(7, {
  agents: [agent('agent-S1', '100.64.255.1', true), agent('agent-S2', '100.64.255.2')],
  endpoints: [
    ...Array.from({ length: 5 }, (_, i) => containerEndpoint('/shop/web', `w${i}`, at(`100.64.1.${i}`))),
    containerEndpoint('/shop/eu/cart', 'c', at('100.64.2.1')),
    containerEndpoint('/six', 's', at('fd00::6')),
    hostEndpoint('/host', 'h', 31_000),
  ],
  vips: [
    vip('/shop/web', ['web.shop.weir']),
    vip('/shop/eu/cart', ['cart.eu.shop.weir'], { address: '100.127.0.10' }),
  ],
});
const questions = 1_500;
const without = { amplification: 1, quietBytes: Number.MAX_SAFE_INTEGER };
const apexes: readonly Name[] = ['mesos', 'weir'];

/** The records of our zones, each with its SOA. */
function zones(): ReadonlyMap<Name, readonly ResourceRecord[]> {
  const zone = new Zone(options);
  zone.apply(directory);
  const all = allRecords(zone);
  return new Map(
    apexes.map((apex) => [
      apex,
      [zone.soaOf(apex, 'answer'), ...all.filter(({ name }) => isBelow(name, apex))],
    ]),
  );
}

function isBelow(name: Name, apex: Name): boolean {
  return name === apex || name.endsWith(`.${apex}`);
}

const owners = [...new Set([...zones().values()].flat().map(({ name }) => name))];
const owner = fc.constantFrom(...owners);
const label = fc.stringMatching(/^[a-z0-9_-]{1,8}$/);
const name = fc.oneof(
  { weight: 4, arbitrary: owner },
  // an empty non-terminal, the apex, or nothing
  owner.map((name) => name.slice(name.indexOf('.') + 1)),
  fc.tuple(label, owner).map((labels) => labels.join('.')),
  fc.tuple(label, fc.constantFrom(...apexes, 'example.org')).map((labels) => labels.join('.')),
);
const types = ['A', 'AAAA', 'SRV', 'NS', 'SOA', 'TXT', 'PTR', 'CNAME', 'MX', 'HTTPS'] as const;
const question = fc.record({
  name: fc.tuple(name, fc.infiniteStream(fc.boolean())).map(([text, upper]) => mixed(text, upper)),
  type: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...types) }, fc.integer({ min: 300, max: 65_000 })),
  flags: fc.constantFrom(0, FLAG.RD, FLAG.AD, FLAG.RD | FLAG.AD),
  id: fc.integer({ min: 0, max: 65_535 }),
  edns: fc.constantFrom(undefined, edns(1_232), edns(4_096), edns(1_232, { flags: 0x8000 })),
});
type Question = (typeof question extends fc.Arbitrary<infer Q> ? Q : never) & { readonly class: number };

function mixed(text: string, upper: Iterable<boolean>): string {
  const cases = upper[Symbol.iterator]();
  return [...text].map((letter) => (cases.next().value === true ? letter.toUpperCase() : letter)).join('');
}

// BIND has no zones of other classes, and calls them not implemented
for (const [peer, classes] of [
  [knot, [CLASS.IN, CLASS.CH, 77]],
  [bind, [CLASS.IN]],
] as const) {
  const skip = isInstalled(peer) ? false : `needs ${peer.program}`;
  t.test(`${peer.name} says the same by UDP and by TCP`, { skip }, (t) => agree(t, peer, classes));
}

async function agree(t: Test, peer: Peer, classes: readonly number[]): Promise<void> {
  const ours = await runResolver(t, { directory, zone: options, server: { rateLimit: without } });
  const theirs = await startPeer(t, peer, zones());
  await fc.assert(
    fc.asyncProperty(question, fc.constantFrom(...classes), fc.boolean(), async (question, other, byTcp) => {
      const asked = { ...question, class: other };
      const ask = byTcp ? tcpExchange : udpExchange;
      const packet = packetOf(asked);
      const [our, their] = await Promise.all([ask(ours.at, packet), ask(theirs, packet)]);
      assert.deepEqual(said(our, asked), said(their, asked));
      for (const reply of [our, their]) readAlike(reply);
    }),
    { numRuns: questions },
  );
  t.pass(`${questions} questions`);
}

function packetOf({ name, type, edns, ...parts }: Question): Buffer {
  const packet = query(name, type, { ...parts, ...(edns && { edns }) });
  // as it was written, which the codec makes lower case
  let from = 12;
  for (const label of name.split('.')) {
    packet.write(label, from + 1, 'latin1');
    from += label.length + 1;
  }
  return packet;
}

async function tcpExchange(at: ListenAddress, packet: Uint8Array): Promise<Buffer> {
  const session = await TcpSession.open(at);
  session.send(packet);
  const reply = await session.nextPacket();
  session.socket.destroy();
  if (reply === undefined) throw new Error('the connection ended without a reply');
  return reply;
}

function said(packet: Buffer, asked: Question) {
  const reply = decoded(packet);
  const flags = reply.flags & (FLAG.QR | FLAG.AA | FLAG.TC | FLAG.RD | FLAG.RA | FLAG.AD);
  return {
    id: reply.id,
    code: rcodeOf(reply),
    flags,
    question: packet.subarray(12, questionEnd(packet)).toString('latin1'),
    answers: lines(reply.answers),
    authorities: lines(reply.authorities),
    additionals: isRoomy(asked) ? lines(ofItsZone(reply)) : [],
    edns: reply.edns && { version: reply.edns.version, dnssecOk: reply.edns.flags & 0x8000 },
  };
}

/** Where there is little room, which of the additional records are left out is everybody's own choice. */
function isRoomy({ edns }: Question): boolean {
  return edns !== undefined;
}

/** Of other zones that it has a server may add what it likes. */
function ofItsZone({ question, additionals }: Message): readonly ResourceRecord[] {
  const apex = apexes.find((apex) => isBelow(question?.name ?? '', apex));
  return additionals.filter(({ name }) => apex !== undefined && isBelow(name, apex));
}

function lines(records: readonly ResourceRecord[]): readonly string[] {
  return records.map((record) => JSON.stringify(plainRecord(record))).sort();
}

function questionEnd(packet: Buffer): number {
  let at = 12;
  while (packet[at] !== 0) at += packet[at]! + 1;
  return at + 5;
}

/** Another codec reads the packet as ours does. */
function readAlike(packet: Buffer): void {
  const message = decoded(packet);
  const known = new Set([1, 2, 5, 6, 12, 28, 33, 255]);
  if (!known.has(message.question?.type ?? 0)) return;
  const lower = (line: string) => line.toLowerCase();
  assert.deepEqual(dnsPacketLines(packet).map(lower), ourLines(message).map(lower));
}
