import { decide } from '../../../decide.ts';
import { serviceKey, type VipService } from '../../../table.ts';
import { chainLines, chainsOf, changeLines } from '../elements.ts';
import { familyWords } from '../family.ts';
import { lateRules, lateSets } from '../late.ts';
import {
  maps,
  noteRefusal,
  noteSets,
  ownSource,
  pairMasqueraded,
  pairNoted,
  pairSet,
  pairsOf,
  type RuleSet,
  serviceObjects,
  text,
  unansweredError,
} from '../rules.ts';
import type { PortAccess } from './placed.ts';

/** Public ports as the kernel has them: one service for each address of the machine. */
export type PortTable = {
  /** By `serviceKey`; without backends: refused at once. */
  readonly services: ReadonlyMap<string, VipService>;
  readonly access: ReadonlyMap<string, PortAccess>;
  /** Addresses of endpoints whose answers would not come back by themselves. */
  readonly far: ReadonlySet<string>;
};

export type PortRules = Omit<RuleSet, 'ranges'>;

/** Elements of the sets that are about ports as such. */
type PortSets = Readonly<Record<(typeof portSets)[number], ReadonlySet<string>>>;
const protocols = ['tcp', 'udp'] as const;
const portSets = ['ports', 'empty', 'in', 'out', 'far', 'allowing', 'allowed', 'denied'] as const;

/**
 * One transaction after which the kernel sends these ports' connections to their endpoints, whatever was there. Unlike a virtual IP
 * an address is not ours as a whole: every rule asks for address and port. `chains`: further ones, that are there already.
 */
export function wholePorts(rules: PortRules, table: PortTable, chains: readonly string[] = []): string {
  const { ip, address, unreachable, errorAbout } = familyWords(rules.family);
  const t = `${ip} ${rules.table}`;
  const pairs = pairsOf(rules);
  const key = `${address} . inet_proto . inet_service`;
  const client = `${ip} daddr . meta l4proto . th dport . ${ip} saddr`;
  // nft knows the size of a tracked port only where the protocol has been asked for.
  const asked = (l4: string) =>
    `meta l4proto ${l4} ct original ${ip} daddr . meta l4proto . ct original proto-dst`;
  const services = [...table.services.values()];
  const needed = [...new Set([...chains, ...chainsOf(services)])].sort(bySize);
  return text([
    `add table ${t}`,
    ...serviceObjects(rules),
    ...noteSets(rules),
    `add set ${t} ports { type ${key}; }`,
    ...['empty', 'in', 'out'].map((name) => `add set ${t} ${name} { type ${key}; counter; }`),
    `add set ${t} far { type ${address}; }`,
    // Who may come: ports that are for some only, and with each port ranges of clients.
    `add set ${t} allowing { type ${key}; }`,
    ...['allowed', 'denied'].map(
      (name) => `add set ${t} ${name} { type ${key} . ${address}; flags interval; }`,
    ),
    ...pairs.map((pair) => pairSet(t, pair)),
    ...['client', 'dispatch', 'source', 'refuse', 'seen'].map((chain) => `add chain ${t} ${chain}`),
    // Before virtual IPs and all others that translate: who comes first decides.
    `add chain ${t} prerouting { type nat hook prerouting priority -102; }`,
    `add chain ${t} output { type nat hook output priority -102; }`,
    `add chain ${t} postrouting { type nat hook postrouting priority 98; }`,
    `add chain ${t} input { type nat hook input priority 98; }`,
    ...lateSets(rules),
    `add chain ${t} after-prerouting { type filter hook prerouting priority -91; }`,
    `add chain ${t} after-output { type filter hook output priority -91; }`,
    `flush table ${t}`,
    ...maps.map((map) => `flush map ${t} ${map}`),
    ...['counted', ...portSets].map((name) => `flush set ${t} ${name}`),
    `add rule ${t} prerouting ${ip} daddr . meta l4proto . th dport @ports goto client`,
    `add rule ${t} output ${ip} daddr . meta l4proto . th dport @ports goto dispatch`,
    ...lateRules(rules),
    ...pairs.map((pair) => pairNoted(t, pair)),
    `add rule ${t} client goto dispatch`,
    // A connection that a process has already, and that is tracked only now, stays with it.
    `add rule ${t} dispatch tcp flags & (fin | syn | rst | ack) != syn return`,
    // Whoever is not wanted gets to the socket behind, which refuses and says so.
    `add rule ${t} dispatch ${ip} daddr . meta l4proto . th dport @allowing ${client} != @allowed accept`,
    `add rule ${t} dispatch ${client} @denied accept`,
    `add rule ${t} dispatch ${ip} daddr . meta l4proto . th dport @counted`,
    `add rule ${t} dispatch ${ip} daddr . meta l4proto . th dport vmap @services`,
    `add rule ${t} after-prerouting ct state new ${ip} daddr . meta l4proto . th dport @empty goto refuse`,
    `add rule ${t} after-output ct state new ${ip} daddr . meta l4proto . th dport @empty goto refuse`,
    ...['after-prerouting', 'after-output'].map(
      (chain) =>
        `add rule ${t} ${chain} ${unansweredError(rules.family)} update @unreachable { ${errorAbout} }`,
    ),
    // What came by "lo" was seen when it left.
    ...protocols.flatMap((l4) => [
      `add rule ${t} after-prerouting iifname != "lo" ct status & dnat == dnat ${asked(l4)} @ports goto seen`,
      `add rule ${t} after-output ct status & dnat == dnat ${asked(l4)} @ports goto seen`,
      `add rule ${t} postrouting ct status & dnat == dnat ${asked(l4)} @ports goto source`,
    ]),
    `add rule ${t} refuse tcp flags & (fin | syn | rst | ack) == syn reject with tcp reset`,
    `add rule ${t} refuse meta l4proto udp reject with ${unreachable}`,
    // Asked when first, and until there is any answer.
    `add rule ${t} seen tcp flags & (syn | ack | rst) == syn add @asked { ${ip} daddr . tcp dport }`,
    `add rule ${t} seen tcp flags & (syn | rst) != 0 ct direction reply delete @asked { ${ip} saddr . tcp sport }`,
    `add rule ${t} seen ${noteRefusal(ip)}`,
    ...protocols.flatMap((l4) => [
      `add rule ${t} seen ct direction original ${asked(l4)} @in return`,
      `add rule ${t} seen ct direction reply ${asked(l4)} @out return`,
    ]),
    ...pairs.map((pair) => pairMasqueraded(t, pair)),
    `add rule ${t} source ${ip} daddr @far masquerade`,
    `add rule ${t} ${ownSource}`,
    ...needed.flatMap((chain) => chainLines(t, chain)),
    ...services.flatMap((service) => changeLines(t, { type: 'add', service })),
    ...setLines(t, nothing, setsOf(table)),
  ]);
}

/** One transaction from the one table to the other; empty: they are the same. */
export function portChanges(
  { family, table }: PortRules,
  [before, after]: readonly [PortTable, PortTable],
  chainsGained: readonly string[],
): string {
  const t = `${familyWords(family).ip} ${table}`;
  const changes = decide(
    { services: before.services, problems: [] },
    { services: after.services, problems: [] },
  );
  const lines = [
    ...chainsGained.flatMap((chain) => chainLines(t, chain)),
    ...changes.flatMap((change) => changeLines(t, change)),
    ...setLines(t, setsOf(before), setsOf(after)),
  ];
  return lines.length === 0 ? '' : text(lines);
}

const none: ReadonlySet<string> = new Set();
const nothing: PortSets = {
  ...{ ports: none, empty: none, in: none, out: none, far: none },
  ...{ allowing: none, allowed: none, denied: none },
};

function setsOf({ services, far, access }: PortTable): PortSets {
  const all = [...services.values()];
  const ports = new Set(all.map(placeText));
  const empty = new Set(all.filter(({ backends }) => backends.length === 0).map(placeText));
  const accessOf = (service: VipService) => access.get(serviceKey(service)) ?? {};
  const ranges = (which: 'allow' | 'deny') =>
    all.flatMap((one) => (accessOf(one)[which] ?? []).map((range) => `${placeText(one)} . ${range}`));
  return {
    ...{ ports, empty, in: ports, out: ports, far },
    allowing: new Set(all.filter((one) => accessOf(one).allow !== undefined).map(placeText)),
    allowed: new Set(ranges('allow')),
    denied: new Set(ranges('deny')),
  };
}

function placeText({ address, protocol, port }: VipService): string {
  return `${address} . ${protocol} . ${port}`;
}

function setLines(t: string, before: PortSets, after: PortSets): readonly string[] {
  return portSets.flatMap((name) => {
    const gone = [...before[name].difference(after[name])];
    const come = [...after[name].difference(before[name])];
    return [
      ...(gone.length > 0 ? [`delete element ${t} ${name} { ${gone.join(', ')} }`] : []),
      ...(come.length > 0 ? [`add element ${t} ${name} { ${come.join(', ')} }`] : []),
    ];
  });
}

/** The chain of one first: the others lead to it. */
function bySize(a: string, b: string): number {
  const size = (chain: string) => Number(chain.slice(chain.lastIndexOf('-') + 1));
  return size(a) - size(b);
}
