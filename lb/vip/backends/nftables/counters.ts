import type { VipCounters } from '../../backend.ts';
import { VipApplyFailed } from '../../errors.ts';
import { serviceKey, type VipTable } from '../../table.ts';
import { familyWords } from './family.ts';
import type { HostExec } from './host.ts';
import type { RuleSet } from './rules.ts';

/** Connections since a service last had no backend. */
export async function readCounters(
  exec: HostExec,
  { family, table }: Pick<RuleSet, 'family' | 'table'>,
  inForce: VipTable,
): Promise<ReadonlyMap<string, VipCounters>> {
  const result = await exec('nft', ['-n', 'list', 'set', familyWords(family).ip, table, 'counted']);
  if (result.exitCode !== 0) throw new VipApplyFailed('nftables', result.stderr.trim());
  const counted = parseCounters(result.stdout);
  return new Map([...inForce.services.keys()].map((key) => [key, { connections: counted.get(key) ?? 0 }]));
}

const element = /([\da-f.:]+) \. (\d+) \. (\d+) counter packets (\d+)/g;

/** Packets by service key, from `nft -n list set`. */
export function parseCounters(text: string): ReadonlyMap<string, number> {
  return new Map(
    [...text.matchAll(element)].map(([, address, protocol, port, packets]) => [
      serviceKey({ protocol: protocol === '17' ? 'udp' : 'tcp', address: address!, port: Number(port) }),
      Number(packets),
    ]),
  );
}
