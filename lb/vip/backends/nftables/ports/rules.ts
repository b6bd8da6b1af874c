import { decide } from '../../../decide.ts';
import type { VipService } from '../../../table.ts';
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

/** Public ports as the kernel has them: one service for each address of the machine. */
export type PortTable = {
  /** By `serviceKey`; without backends: refused at once. */
  readonly services: ReadonlyMap<string, VipService>;
  /** Addresses of endpoints whose answers would not come back by themselves. */
  readonly far: ReadonlySet<string>;
};

export type PortRules = Omit<RuleSet, 'ranges'>;

/** Elements of the sets that are about ports as such. */
type PortSets = Readonly<Record<(typeof portSets)[number], ReadonlySet<string>>>;
const protocols = ['tcp', 'udp'] as const;
const portSets = ['ports', 'empty', 'in', 'out', 'far'] as const;

/**
 * One transaction after which the kernel sends these ports' connections to their endpoints, whatever was there. Unlike a virtual IP
 * an address is not ours as a whole: every rule asks for address and port. `chains`: further ones, that are there already.
 */
export function wholePorts(rules: PortRules, table: PortTable, chains: readonly string[] = []): string {
  const { ip, address, unreachable, errorAbout } = familyWords(rules.family);
  const t = `${ip} ${rules.table}`;
  const pairs = pairsOf(rules);
  const key = `${address} . inet_proto . inet_service`;
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
const nothing: PortSets = { ports: none, empty: none, in: none, out: none, far: none };

function setsOf({ services, far }: PortTable): PortSets {
  const keys = (which: (service: VipService) => boolean) =>
    new Set(
      [...services.values()]
        .filter(which)
        .map(({ address, protocol, port }) => `${address} . ${protocol} . ${port}`),
    );
  const ports = keys(() => true);
  return { ports, empty: keys(({ backends }) => backends.length === 0), in: ports, out: ports, far };
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
