import type { VipChange } from '../../decide.ts';
import type { VipService } from '../../table.ts';

/** The text of nftables transactions. Pure; everything here is for `nft -f -`. */
export type RuleSet = {
  /** Name of the table that is ours alone. */
  readonly table: string;
  /** IPv4 ranges (a.b.c.d/n) that belong to VIPs as a whole. */
  readonly ranges: readonly string[];
  /** True: replies within one bridge pass this host's netfilter, so the client address can be kept there. */
  readonly bridgeReplies: boolean;
};

/** One transaction that replaces whatever the table was, also one left by a crash, by these services. */
export function wholeTable(
  set: RuleSet,
  services: readonly VipService[],
  literals: readonly string[],
): string {
  const t = set.table;
  const owned = [...set.ranges, ...literals];
  return text([
    `add table ip ${t}`,
    `delete table ip ${t}`,
    `add table ip ${t}`,
    `add map ip ${t} services { type ipv4_addr . inet_proto . inet_service : verdict; counter; }`,
    // Every address that is a VIP's whatever the port: what is not served there is refused.
    `add set ip ${t} addresses { type ipv4_addr; flags interval; }`,
    ...sameLinkSet(set),
    ...['client', 'source', 'refuse'].map((chain) => `add chain ip ${t} ${chain}`),
    // One before dstnat and srcnat, so that port mappings and masquerades of others come second.
    `add chain ip ${t} prerouting { type nat hook prerouting priority -101; }`,
    `add chain ip ${t} output { type nat hook output priority -101; }`,
    `add chain ip ${t} postrouting { type nat hook postrouting priority 99; }`,
    // After translation: an address that is still a VIP here is one that nobody serves.
    `add chain ip ${t} refuse-prerouting { type filter hook prerouting priority -90; }`,
    `add chain ip ${t} refuse-output { type filter hook output priority -90; }`,
    `add rule ip ${t} prerouting ip daddr @addresses goto client`,
    `add rule ip ${t} client ${sameLinkNote(set)}`,
    `add rule ip ${t} client ${dispatch}`,
    `add rule ip ${t} output ${dispatch}`,
    `add rule ip ${t} refuse-prerouting ip daddr @addresses goto refuse`,
    `add rule ip ${t} refuse-output ip daddr @addresses goto refuse`,
    `add rule ip ${t} refuse meta l4proto tcp reject with tcp reset`,
    `add rule ip ${t} refuse reject with icmp type port-unreachable`,
    `add rule ip ${t} postrouting ct original ip daddr @addresses goto source`,
    `add rule ip ${t} source ${sameLinkMatch(set)} masquerade`,
    // A process of this host: its source address was chosen for the VIP, not for the backend. Give it the one that a
    // direct connection would have; a forwarded packet (a container's) has no local source and keeps its own.
    `add rule ip ${t} source oifname != "lo" fib saddr type local fib saddr . oif type != local masquerade`,
    ...owned.map((address) => `add element ip ${t} addresses { ${address} }`),
    ...services.flatMap((service) => added(t, service)),
  ]);
}

/** Transactions, each whole in itself and at most about `bound` lines long, that perform the changes in order. */
export function changesText(
  set: RuleSet,
  changes: readonly VipChange[],
  literals: { readonly gained: readonly string[]; readonly lost: readonly string[] },
  bound = 1_000,
): readonly string[] {
  const t = set.table;
  const steps = [
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

const dispatch = 'ip daddr . meta l4proto . th dport vmap @services';

function changeLines(t: string, change: VipChange): readonly string[] {
  const { service } = change;
  if (change.type === 'add') return added(t, service);
  if (change.type === 'remove') return removed(t, service);
  if (change.before.backends.length === 0) return added(t, service);
  if (service.backends.length === 0) return removed(t, change.before);
  // The element stays, and with it the count of its connections.
  return [`flush chain ip ${t} ${chainOf(service)}`, rule(t, service)];
}

/** A service without backends is nothing but an address that refuses. */
function added(t: string, service: VipService): readonly string[] {
  if (service.backends.length === 0) return [];
  return [
    `add chain ip ${t} ${chainOf(service)}`,
    rule(t, service),
    `add element ip ${t} services { ${keyOf(service)} : goto ${chainOf(service)} }`,
  ];
}

function removed(t: string, service: VipService): readonly string[] {
  if (service.backends.length === 0) return [];
  return [
    `delete element ip ${t} services { ${keyOf(service)} }`,
    `flush chain ip ${t} ${chainOf(service)}`,
    `delete chain ip ${t} ${chainOf(service)}`,
  ];
}

/** One rule per service whatever the number of its backends. */
function rule(t: string, service: VipService): string {
  const head = `add rule ip ${t} ${chainOf(service)} meta l4proto ${service.protocol} dnat ip to`;
  const [only, ...more] = service.backends;
  if (more.length === 0) return `${head} ${only!.address}:${only!.port}`;
  const elements = service.backends.map((backend, i) => `${i} : ${backend.address} . ${backend.port}`);
  return `${head} numgen random mod ${elements.length} map { ${elements.join(', ')} }`;
}

function chainOf(service: VipService): string {
  return `${service.protocol}-${service.address}-${service.port}`;
}

function keyOf(service: VipService): string {
  return `${service.address} . ${service.protocol} . ${service.port}`;
}

/*
 * nftables cannot compare two fields of a packet. The set makes up for it: before routing a client's packet leaves the
 * pair (x, x) there; after routing "(x, y) is in the set" says x = y. Pairs expire, so the set stays small.
 *
 * Without bridge replies x is the interface: in and out by the same one means that client and backend share a link and
 * the reply would not come back this way. With them x is the address: only a backend that calls itself needs a new source.
 */
function sameLinkSet(set: RuleSet): readonly string[] {
  const type = set.bridgeReplies ? 'ipv4_addr . ipv4_addr' : 'iface_index . iface_index';
  return [`add set ip ${set.table} same { type ${type}; flags dynamic,timeout; timeout 1h; size 65535; }`];
}

function sameLinkNote(set: RuleSet): string {
  return set.bridgeReplies ? 'update @same { ip saddr . ip saddr }' : 'update @same { iif . iif }';
}

function sameLinkMatch(set: RuleSet): string {
  return set.bridgeReplies ? 'ip saddr . ip daddr @same' : 'iif . oif @same';
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
