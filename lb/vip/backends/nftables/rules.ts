import type { VipChange } from '../../decide.ts';
import type { VipService } from '../../table.ts';
import { affinityObjects, affinityRules } from './affinity.ts';
import { chainLines, chainsOf, changeLines } from './elements.ts';
import { type Family, familyWords } from './family.ts';
import { lateRules, lateSets } from './late.ts';
import { type Notes, noteMs } from './notes.ts';

/** The text of nftables transactions. Pure; everything here is for `nft -f -`. */
export type RuleSet = {
  /** Name of the table that is ours alone. */
  readonly table: string;
  readonly family: Family;
  /** Ranges (`a.b.c.d/n`) that belong to VIPs as a whole. */
  readonly ranges: readonly string[];
  /** True: replies within one bridge pass this host's netfilter, so the client address can be kept there. */
  readonly bridgeReplies: boolean;
};

const protocols = ['tcp', 'udp'] as const;
export const maps = ['services', 'tcp-targets', 'udp-targets'] as const;
const affine = ['tcp-affine', 'udp-affine'] as const;
/** Sets and maps whose elements are the services. */
export const serviceSets: readonly string[] = [...maps, ...affine, 'counted'];

/**
 * One transaction after which the table serves exactly these services, whatever it was; also one left by a crash. It
 * keeps the chains and only replaces what is in them: of two tables that relieve each other, a packet can meet the old
 * one too late and the new one too early. It fails on a table that was built otherwise; after `removal` it does not.
 */
export function wholeTable(
  set: RuleSet,
  services: readonly VipService[],
  literals: readonly string[],
): string {
  const { ip, address, unreachable, errorAbout } = familyWords(set.family);
  const t = `${ip} ${set.table}`;
  const owned = [...set.ranges, ...literals];
  const pairs = pairsOf(set);
  return text([
    `add table ${t}`,
    ...serviceObjects(set),
    ...affinityObjects(set),
    // To a VIP or to anybody's own address.
    ...noteSets(set),
    // Every address that is a VIP's whatever the port: what is not served there is refused.
    `add set ${t} addresses { type ${address}; flags interval; }`,
    ...pairs.map((pair) => pairSet(t, pair)),
    ...['client', 'dispatch', 'source', 'refuse'].map((chain) => `add chain ${t} ${chain}`),
    // One before dstnat and srcnat, so that port mappings and masquerades of others come second.
    `add chain ${t} prerouting { type nat hook prerouting priority -101; }`,
    `add chain ${t} output { type nat hook output priority -101; }`,
    `add chain ${t} postrouting { type nat hook postrouting priority 99; }`,
    `add chain ${t} input { type nat hook input priority 99; }`,
    ...lateSets(set),
    // After translation: an address that is still a VIP here is one that nobody serves, and a backend has its own. Two
    // chains that every packet passes, and no more: two further ones made a datagram a hundredth dearer.
    `add chain ${t} refuse-prerouting { type filter hook prerouting priority -90; }`,
    `add chain ${t} refuse-output { type filter hook output priority -90; }`,
    ...['handshakes', 'errors'].map((chain) => `add chain ${t} ${chain}`),
    `flush table ${t}`,
    ...[...maps, ...(set.family === 4 ? affine : [])].map((map) => `flush map ${t} ${map}`),
    ...['counted', 'addresses'].map((name) => `flush set ${t} ${name}`),
    `add rule ${t} prerouting ${ip} daddr @addresses goto client`,
    ...pairs.map((pair) => pairNoted(t, pair)),
    `add rule ${t} client goto dispatch`,
    `add rule ${t} output ${ip} daddr @addresses goto dispatch`,
    `add rule ${t} dispatch ${ip} daddr . meta l4proto . th dport @counted`,
    `add rule ${t} dispatch ${ip} daddr . meta l4proto . th dport vmap @services`,
    ...['refuse-prerouting', 'refuse-output'].flatMap((chain) => [
      `add rule ${t} ${chain} ${ip} daddr @addresses goto refuse`,
      `add rule ${t} ${chain} tcp flags & (syn | rst) != 0 goto handshakes`,
      `add rule ${t} ${chain} ${unansweredError(set.family)} goto errors`,
    ]),
    `add rule ${t} refuse meta l4proto tcp reject with tcp reset`,
    `add rule ${t} refuse reject with ${unreachable}`,
    ...lateRules(set),
    `add rule ${t} postrouting ct original ${ip} daddr @addresses goto source`,
    ...affinityRules(set, 'source'),
    ...affinityRules(set, 'input'),
    ...pairs.map((pair) => pairMasqueraded(t, pair)),
    // A process of this host: its source address was chosen for the VIP, not for the backend. Give it the one that a
    // direct connection would have; a forwarded packet (a container's) has no local source and keeps its own.
    `add rule ${t} ${ownSource}`,
    // Asked when first, and until there is any answer; its address is not yet translated back.
    `add rule ${t} handshakes tcp flags & (syn | ack | rst) == syn add @asked { ${ip} daddr . tcp dport } return`,
    `add rule ${t} handshakes delete @asked { ${ip} saddr . tcp sport }`,
    `add rule ${t} handshakes ${noteRefusal(ip)}`,
    `add rule ${t} errors update @unreachable { ${errorAbout} }`,
    ...owned.map((address) => `add element ${t} addresses { ${address} }`),
    ...chainsOf(services).flatMap((chain) => chainLines(t, chain)),
    ...services.flatMap((service) => changeLines(t, { type: 'add', service })),
  ]);
}

/** Of connections that fail. */
export function noteSets({ family, table }: Pick<RuleSet, 'family' | 'table'>): readonly string[] {
  const { ip, address, errorAbout } = familyWords(family);
  const place = `type ${address} . inet_service`;
  const noteSet = (notes: Notes, type: string) =>
    `add set ${ip} ${table} ${notes} { ${type}; flags dynamic,timeout; timeout ${noteMs[notes]}ms; size 4096; }`;
  return [
    noteSet('refusing', place),
    noteSet('asked', place),
    noteSet('unreachable', `typeof ${errorAbout}`),
  ];
}

/** A refusal is a reset without a sequence number (RFC 9293 §3.10.7.1). */
export function noteRefusal(ip: string): string {
  return `tcp flags & (rst | ack) == rst | ack tcp sequence 0 ct direction reply update @refusing { ${ip} saddr . tcp sport }`;
}

/** An error of a router about a connection that nobody has answered. */
export function unansweredError(family: Family): string {
  const { error } = familyWords(family);
  return `${error} ct state related ct protocol tcp ct status & seen-reply != seen-reply`;
}

/** Sets and maps that say where a connection goes. */
export function serviceObjects({ family, table }: Pick<RuleSet, 'family' | 'table'>): readonly string[] {
  const { ip, address } = familyWords(family);
  const t = `${ip} ${table}`;
  return [
    // Where a connection goes, in two steps: the service's chain is that of the number of its backends, n; that chain
    // draws a slot below n. No chain, rule or anonymous map per service: the kernel searches those one by one.
    `add map ${t} services { type ${address} . inet_proto . inet_service : verdict; }`,
    // One of targets for each protocol: nft cannot read back a map that is for both.
    ...protocols.map(
      (l4) =>
        `add map ${t} ${l4}-targets { typeof ${ip} daddr . ${l4} dport . numgen random mod 2 : ${ip} daddr . ${l4} dport; }`,
    ),
    // Counts first packets; apart from the services, whose elements are replaced when n changes.
    `add set ${t} counted { type ${address} . inet_proto . inet_service; counter; }`,
  ];
}

/** Of the chain `source`: the packet of a process of this host, whose address is not that of the link it leaves by. */
export const ownSource =
  'source oifname != "lo" fib saddr type local fib saddr . oif type != local masquerade';

export type Surroundings = {
  /** Of `chainsOf`, those that the table does not have yet. */
  readonly chainsGained: readonly string[];
  readonly literals: { readonly gained: readonly string[]; readonly lost: readonly string[] };
};

/** Transactions, each whole in itself and at most about `bound` lines long, that perform the changes in order. */
export function changesText(
  set: RuleSet,
  changes: readonly VipChange[],
  { chainsGained, literals }: Surroundings,
  bound = 1_000,
): readonly string[] {
  const t = `${familyWords(set.family).ip} ${set.table}`;
  const steps = [
    ...chainsGained.map((chain) => chainLines(t, chain)),
    ...literals.gained.map((address) => [`add element ${t} addresses { ${address} }`]),
    ...changes.map((change) => changeLines(t, change)),
    ...literals.lost.map((address) => [`delete element ${t} addresses { ${address} }`]),
  ];
  const batches: string[][] = [];
  for (const step of steps) {
    const last = batches.at(-1);
    if (last !== undefined && last.length + step.length <= bound) last.push(...step);
    else batches.push([...step]);
  }
  return batches.filter((lines) => lines.length > 0).map(text);
}

export function removal({ family, table }: Pick<RuleSet, 'family' | 'table'>): string {
  const { ip } = familyWords(family);
  return text([`add table ${ip} ${table}`, `delete table ${ip} ${table}`]);
}

/*
 * nftables cannot compare two fields of a packet. A set makes up for it: before routing a client's packet leaves the pair
 * (x, x) there; after routing "(x, y) is in the set" says x = y. Pairs expire, so the set stays small.
 */
export type Pair = {
  readonly name: string;
  readonly type: string;
  readonly before: string;
  readonly after: string;
};

export function pairsOf({
  family,
  bridgeReplies,
}: Pick<RuleSet, 'family' | 'bridgeReplies'>): readonly Pair[] {
  const { ip, address } = familyWords(family);
  /** A backend that calls itself would answer itself. */
  const sameAddress: Pair = {
    name: 'same-address',
    type: `${address} . ${address}`,
    before: `${ip} saddr`,
    after: `${ip} daddr`,
  };
  /** In and out by one interface: client and backend share a link, and the reply would not come back this way. */
  const sameLink: Pair = {
    name: 'same-link',
    type: 'iface_index . iface_index',
    before: 'iif',
    after: 'oif',
  };
  return bridgeReplies ? [sameAddress] : [sameAddress, sameLink];
}

export function pairSet(t: string, { name, type }: Pair): string {
  return `add set ${t} ${name} { type ${type}; flags dynamic,timeout; timeout 1h; size 65535; }`;
}

/** Before routing. */
export function pairNoted(t: string, { name, before }: Pair): string {
  return `add rule ${t} client update @${name} { ${before} . ${before} }`;
}

/** After it. */
export function pairMasqueraded(t: string, { name, before, after }: Pair): string {
  return `add rule ${t} source ${before} . ${after} @${name} masquerade`;
}

export function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
