import { createHash } from 'node:crypto';
import { formatCidr4, overlaps, parseCidr4 } from '../core/kit/ip.ts';
import type { Network } from '../core/model/network.ts';
import type { Cluster } from './backend.ts';
import { egressTable } from './names.ts';
import { outputOf, type Tools } from './tools.ts';

/** The packet filter of one network: a table of its own, replaced as a whole. */
export type EgressTable = {
  readonly name: string;
  /** Chains and rules, for `nft -f`. Every rule carries `mark` as its comment. */
  readonly text: string;
  /** Names this exact text, so that a look at the kernel tells whether it is in force. */
  readonly mark: string;
  readonly rules: number;
};

/**
 * What may leave a network. Between its containers, and to other networks, packets keep their source. Towards an agent's own address
 * they are hidden behind the sending agent: the underlay knows no route back to a container. Towards anything else the network's
 * `egress` decides: `masquerade` hides them too; `none` answers new connections with a refusal, at once, while replies to what came in
 * (through a host port) pass.
 */
export function egressTableOf(network: Network, { ranges, agents }: Omit<Cluster, 'peers'>): EgressTable {
  const inside = (targets: readonly string[]) => `{ ${merged([network.cidr, ...targets]).join(', ')} }`;
  const leaving = `ip saddr ${network.cidr} ip daddr !=`;
  const refused = `${leaving} ${inside([...ranges, ...agents])}`;
  const refuse = [
    'ct state established,related accept',
    `${refused} meta l4proto tcp reject with tcp reset`,
    `${refused} reject with icmp admin-prohibited`,
  ];
  const hide = [`${leaving} ${inside(ranges)} masquerade`];
  const chains = [
    ...(network.egress === 'none'
      ? [{ head: 'refuse { type filter hook forward priority filter;', rules: refuse }]
      : []),
    { head: 'hide { type nat hook postrouting priority srcnat;', rules: hide },
  ];
  const mark = createHash('sha256').update(JSON.stringify(chains)).digest('hex').slice(0, 16);
  const lines = chains.flatMap(({ head, rules }) => [
    `  chain ${head} policy accept;`,
    ...rules.map((rule) => `    ${rule} comment "${mark}"`),
    '  }',
  ]);
  return {
    name: egressTable(network.name),
    text: lines.join('\n'),
    mark,
    rules: chains.reduce((sum, { rules }) => sum + rules.length, 0),
  };
}

/** Sorted, and without what lies in another: nft refuses a set whose elements overlap. */
function merged(targets: readonly string[]): readonly string[] {
  const all = targets
    .map((target) => parseCidr4(target.includes('/') ? target : `${target}/32`))
    .toSorted((a, b) => a.prefix - b.prefix || a.base - b.base);
  const kept: (typeof all)[number][] = [];
  for (const range of all) {
    if (!kept.some((other) => overlaps(other, range))) kept.push(range);
  }
  return kept.toSorted((a, b) => a.base - b.base).map(formatCidr4);
}

/** Whether the kernel has exactly the rules of the table. */
export async function hasEgress(tools: Tools, { name, mark, rules }: EgressTable): Promise<boolean> {
  const { exitCode, stdout } = await tools.run(['nft', '-j', 'list', 'table', 'ip', name]);
  if (exitCode !== 0) return false;
  const { nftables } = JSON.parse(stdout) as { nftables: readonly { rule?: { comment?: string } }[] };
  const comments = nftables.flatMap(({ rule }) => (rule === undefined ? [] : [rule.comment]));
  return comments.length === rules && comments.every((comment) => comment === mark);
}

export async function applyEgress(tools: Tools, { name, text }: EgressTable): Promise<void> {
  const input = `table ip ${name}\ndelete table ip ${name}\ntable ip ${name} {\n${text}\n}\n`;
  await outputOf(tools, ['nft', '-f', '-'], { input });
}

export async function removeEgress(tools: Tools, network: string): Promise<void> {
  const name = egressTable(network);
  await outputOf(tools, ['nft', '-f', '-'], { input: `table ip ${name}\ndelete table ip ${name}\n` });
}
