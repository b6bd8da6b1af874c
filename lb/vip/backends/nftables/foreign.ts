import ipaddr from 'ipaddr.js';
import type { HostExec } from './host.ts';

/** A rule of another table that takes packets to our addresses away from us, or might. */
export type ForeignRule = {
  readonly what: string;
  /** What deletes it: it names our addresses and no others, and those are nobody's but ours. */
  readonly removal: string;
};

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** What other tables than ours do to packets to addresses in these ranges (`a.b.c.d/n`, or an address). */
export async function foreignRules(
  exec: HostExec,
  ranges: readonly string[],
  own: string,
): Promise<readonly ForeignRule[]> {
  // Not `list tables`: before that answers it reads every element of every set, and begins again at each change of one.
  const listed = await exec('nft', ['-j', 'list', 'chains']);
  if (listed.exitCode !== 0) return [];
  const found: ForeignRule[] = [];
  for (const table of tablesWithChains(listed.stdout)) {
    const [family = '', name] = table.split(' ');
    // Ours may be long, and is audited otherwise.
    if (name === own || !looked.includes(family)) continue;
    const { exitCode, stdout } = await exec('nft', ['-j', 'list', 'table', ...table.split(' ')]);
    if (exitCode === 0) found.push(...parseForeign(stdout, ranges));
  }
  return found;
}

/** Family and name of each table that may have rules. */
function tablesWithChains(json: string): ReadonlySet<string> {
  const tables = rowsOf(json).map((row) => {
    const { family, table } = Object(Object(row).chain);
    return typeof table === 'string' ? `${family} ${table}` : '';
  });
  return new Set(tables.filter((table) => table !== ''));
}

/** Families of tables that packets to VIPs pass. */
const looked: readonly string[] = ['ip', 'ip6', 'inet'];

/** Pure: the listing of one table. */
export function parseForeign(json: string, ranges: readonly string[]): readonly ForeignRule[] {
  const cidrs = ranges.map((range) =>
    ipaddr.parseCIDR(range.includes('/') ? range : `${range}/${range.includes(':') ? 128 : 32}`),
  );
  return rowsOf(json).flatMap((row): readonly ForeignRule[] => {
    const { family, table, chain, handle, expr } = Object(Object(row).rule);
    if (!Array.isArray(expr)) return [];
    const named = expr.flatMap(addressesNamed);
    if (named.length === 0 || !named.every((one) => cidrs.some((range) => isWithin(one, range)))) return [];
    const verdict = expr.map(verdictOf).find((word) => word !== undefined);
    if (verdict === undefined) return [];
    const where = `${family} ${table} ${chain} handle ${handle}`;
    return [
      {
        what: `a rule of the table ${family} ${table} (chain ${chain}) does ${verdict} to packets for ${named.join(', ')}`,
        removal: `delete rule ${where}\n`,
      },
    ];
  });
}

function rowsOf(json: string): readonly unknown[] {
  const rows: unknown = Object(JSON.parse(json || '{}')).nftables;
  return Array.isArray(rows) ? rows : [];
}

/** What ends a packet's way to us. */
const verdicts = ['drop', 'reject', 'dnat', 'redirect', 'queue', 'tproxy'] as const;

function verdictOf(expr: unknown): string | undefined {
  return verdicts.find((word) => word in Object(expr));
}

/** The destination addresses that one part of a rule asks for. */
function addressesNamed(expr: unknown): readonly string[] {
  const { left, right, op } = Object(Object(expr).match);
  const { protocol, field } = Object(Object(left).payload);
  if ((protocol !== 'ip' && protocol !== 'ip6') || field !== 'daddr' || op === '!=') return [];
  return texts(right);
}

function texts(right: unknown): readonly string[] {
  if (typeof right === 'string') return [right];
  const { prefix, set } = Object(right);
  if (prefix !== undefined) return [`${prefix.addr}/${prefix.len}`];
  return Array.isArray(set) ? set.flatMap(texts) : [];
}

function isWithin(text: string, [network, bits]: Range): boolean {
  const [address = '', length] = text.split('/');
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.kind() !== network.kind()) return false;
  if (length !== undefined && Number(length) < bits) return false;
  return parsed.kind() === 'ipv4'
    ? ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parse(network.toString()), bits)
    : ipaddr.IPv6.parse(address).match(ipaddr.IPv6.parse(network.toString()), bits);
}
