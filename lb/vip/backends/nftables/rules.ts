import type { VipChange } from '../../decide.ts';
import type { VipService, VipTarget } from '../../table.ts';

/** The text of nftables transactions. Pure; everything here is for `nft -f -`. */
export type RuleSet = {
  /** Name of the table that is ours alone. */
  readonly table: string;
  /** IPv4 ranges (a.b.c.d/n) that belong to VIPs as a whole. */
  readonly ranges: readonly string[];
  /** True: replies within one bridge pass this host's netfilter, so the client address can be kept there. */
  readonly bridgeReplies: boolean;
};

const protocols = ['tcp', 'udp'] as const;
const maps = ['services', 'tcp-targets', 'udp-targets'] as const;
/** Sets and maps whose elements are the services. */
export const serviceSets: readonly string[] = [...maps, 'counted'];

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
  const t = set.table;
  const owned = [...set.ranges, ...literals];
  const pairs = set.bridgeReplies ? [sameAddress] : [sameAddress, sameLink];
  return text([
    `add table ip ${t}`,
    // Where a connection goes, in two steps: the service's chain is that of the number of its backends, n; that chain
    // draws a slot below n. No chain, rule or anonymous map per service: the kernel searches those one by one.
    `add map ip ${t} services { type ipv4_addr . inet_proto . inet_service : verdict; }`,
    // One of targets for each protocol: nft cannot read back a map that is for both.
    ...protocols.map(
      (l4) =>
        `add map ip ${t} ${l4}-targets { typeof ip daddr . ${l4} dport . numgen random mod 2 : ip daddr . ${l4} dport; }`,
    ),
    // Counts first packets; apart from the services, whose elements are replaced when n changes.
    `add set ip ${t} counted { type ipv4_addr . inet_proto . inet_service; counter; }`,
    // Every address that is a VIP's whatever the port: what is not served there is refused.
    `add set ip ${t} addresses { type ipv4_addr; flags interval; }`,
    ...pairs.map(
      ({ name, type }) =>
        `add set ip ${t} ${name} { type ${type}; flags dynamic,timeout; timeout 1h; size 65535; }`,
    ),
    ...['client', 'dispatch', 'source', 'refuse'].map((chain) => `add chain ip ${t} ${chain}`),
    // One before dstnat and srcnat, so that port mappings and masquerades of others come second.
    `add chain ip ${t} prerouting { type nat hook prerouting priority -101; }`,
    `add chain ip ${t} output { type nat hook output priority -101; }`,
    `add chain ip ${t} postrouting { type nat hook postrouting priority 99; }`,
    // After translation: an address that is still a VIP here is one that nobody serves.
    `add chain ip ${t} refuse-prerouting { type filter hook prerouting priority -90; }`,
    `add chain ip ${t} refuse-output { type filter hook output priority -90; }`,
    `flush table ip ${t}`,
    ...maps.map((map) => `flush map ip ${t} ${map}`),
    ...['counted', 'addresses'].map((name) => `flush set ip ${t} ${name}`),
    `add rule ip ${t} prerouting ip daddr @addresses goto client`,
    ...pairs.map(({ name, before }) => `add rule ip ${t} client update @${name} { ${before} . ${before} }`),
    `add rule ip ${t} client goto dispatch`,
    `add rule ip ${t} output ip daddr @addresses goto dispatch`,
    `add rule ip ${t} dispatch ip daddr . meta l4proto . th dport @counted`,
    `add rule ip ${t} dispatch ip daddr . meta l4proto . th dport vmap @services`,
    `add rule ip ${t} refuse-prerouting ip daddr @addresses goto refuse`,
    `add rule ip ${t} refuse-output ip daddr @addresses goto refuse`,
    `add rule ip ${t} refuse meta l4proto tcp reject with tcp reset`,
    `add rule ip ${t} refuse reject with icmp type port-unreachable`,
    `add rule ip ${t} postrouting ct original ip daddr @addresses goto source`,
    ...pairs.map(
      ({ name, before, after }) => `add rule ip ${t} source ${before} . ${after} @${name} masquerade`,
    ),
    // A process of this host: its source address was chosen for the VIP, not for the backend. Give it the one that a
    // direct connection would have; a forwarded packet (a container's) has no local source and keeps its own.
    `add rule ip ${t} source oifname != "lo" fib saddr type local fib saddr . oif type != local masquerade`,
    ...owned.map((address) => `add element ip ${t} addresses { ${address} }`),
    ...chainsOf(services).flatMap((chain) => chainLines(t, chain)),
    ...services.flatMap((service) => elements(t, [], service)),
  ]);
}

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
  const t = set.table;
  const steps = [
    ...chainsGained.map((chain) => chainLines(t, chain)),
    ...literals.gained.map((address) => [`add element ip ${t} addresses { ${address} }`]),
    ...changes.map((change) => changeLines(t, change)),
    ...literals.lost.map((address) => [`delete element ip ${t} addresses { ${address} }`]),
  ];
  const batches: string[][] = [];
  for (const step of steps) {
    const last = batches.at(-1);
    if (last !== undefined && last.length + step.length <= bound) last.push(...step);
    else batches.push([...step]);
  }
  return batches.filter((lines) => lines.length > 0).map(text);
}

export function removal(table: string): string {
  return text([`add table ip ${table}`, `delete table ip ${table}`]);
}

function changeLines(t: string, change: VipChange): readonly string[] {
  const { service } = change;
  if (change.type === 'add') return elements(t, [], service);
  if (change.type === 'remove') return elements(t, service.backends, { ...service, backends: [] });
  return elements(t, change.before.backends, service);
}

/** Names of the chains that these services need; the smaller first, because the larger lead to the first. */
export function chainsOf(services: Iterable<VipService>): readonly string[] {
  const sizes = { tcp: new Set<number>(), udp: new Set<number>() };
  for (const { protocol, backends } of services)
    if (backends.length > 0) sizes[protocol].add(backends.length);
  return protocols.flatMap((l4) =>
    [...(sizes[l4].size > 0 ? sizes[l4].add(1) : [])].sort((a, b) => a - b).map((size) => `${l4}-of-${size}`),
  );
}

/**
 * Draws one of n slots. The last rule is for a packet that read its n just before a change took the slot away: the first
 * slot is there whenever the service is.
 */
export function chainLines(t: string, chain: string): readonly string[] {
  const [l4, , size] = chain.split('-');
  const key = `ip daddr . ${l4} dport . numgen random mod ${size}`;
  return [
    `add chain ip ${t} ${chain}`,
    `add rule ip ${t} ${chain} meta l4proto ${l4} dnat ip to ${key} map @${l4}-targets`,
    ...(size === '1' ? [] : [`add rule ip ${t} ${chain} goto ${l4}-of-1`]),
  ];
}

/** Slot i leads to backend i. Only what differs is written; a service without backends is nothing at all. */
function elements(t: string, before: readonly VipTarget[], service: VipService): readonly string[] {
  const { backends } = service;
  const l4 = service.protocol;
  const key = `${service.address} . ${l4} . ${service.port}`;
  const slot = (i: number): string => `${service.address} . ${service.port} . ${i}`;
  const differs = (i: number): boolean => goal(before[i]) !== goal(backends[i]);
  const gone = [...before.keys()].filter(differs).map(slot);
  const come = [...backends.keys()].filter(differs).map((i) => `${slot(i)} : ${goal(backends[i])}`);
  const [was, is] = [before.length, backends.length];
  return [
    ...(was > 0 && is !== was ? [`delete element ip ${t} services { ${key} }`] : []),
    ...(is > 0 && is !== was ? [`add element ip ${t} services { ${key} : goto ${l4}-of-${is} }`] : []),
    ...(was > 0 && is === 0 ? [`delete element ip ${t} counted { ${key} }`] : []),
    ...(was === 0 && is > 0 ? [`add element ip ${t} counted { ${key} }`] : []),
    ...(gone.length > 0 ? [`delete element ip ${t} ${l4}-targets { ${gone.join(', ')} }`] : []),
    ...(come.length > 0 ? [`add element ip ${t} ${l4}-targets { ${come.join(', ')} }`] : []),
  ];
}

function goal(target: VipTarget | undefined): string | undefined {
  return target === undefined ? undefined : `${target.address} . ${target.port}`;
}

/*
 * nftables cannot compare two fields of a packet. A set makes up for it: before routing a client's packet leaves the pair
 * (x, x) there; after routing "(x, y) is in the set" says x = y. Pairs expire, so the set stays small.
 */
type Pair = { readonly name: string; readonly type: string; readonly before: string; readonly after: string };

/** A backend that calls itself would answer itself. */
const sameAddress: Pair = {
  name: 'same-address',
  type: 'ipv4_addr . ipv4_addr',
  before: 'ip saddr',
  after: 'ip daddr',
};

/** In and out by one interface: client and backend share a link, and the reply would not come back this way. */
const sameLink: Pair = {
  name: 'same-link',
  type: 'iface_index . iface_index',
  before: 'iif',
  after: 'oif',
};

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
