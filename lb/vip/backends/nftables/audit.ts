import { setImmediate } from 'node:timers/promises';
import { VipApplyFailed } from '../../errors.ts';
import type { VipService } from '../../table.ts';
import { chainLines, inOrder, isChain } from './elements.ts';
import { familyWords } from './family.ts';
import type { HostExec } from './host.ts';
import { lateChains } from './late.ts';
import {
  type Difference,
  differences,
  elementsOf,
  type Listing,
  parseListing,
  withElements,
} from './listing.ts';
import { changesText, type RuleSet, serviceSets, wholeTable } from './rules.ts';

/** A hundred thousand elements take two. */
const listingSeconds = 10;

export type AuditedTable = {
  readonly services: readonly VipService[];
  readonly literals: readonly string[];
  readonly chains: ReadonlySet<string>;
};

/**
 * How the kernel's table differs from what was put there. nft prints rules otherwise than it reads them, so it is asked how
 * it would print ours: in a network namespace that exists for this question only, and without the services, whose elements
 * are few words that it prints as they were written. Undefined: the kernel's table changed too often to be listed.
 */
export async function tableDrift(
  exec: HostExec,
  set: RuleSet,
  { services, literals, chains }: AuditedTable,
): Promise<readonly Difference[] | undefined> {
  const empty = wholeTable(set, [], literals);
  const missing = inOrder(chains).map((chain) => chainLines(nameOf(set), chain).join('\n'));
  const skeleton = await printed(exec, nameOf(set), `${empty}${missing.join('\n')}\n`);
  const expected = withElements(skeleton, await expectedElements(set, services));
  const listed = await inKernel(exec, nameOf(set));
  if (listed === undefined) return undefined;
  const left = [...listed].filter(
    ([name, { body }]) => !expected.has(name) && body.length === 0 && isChain(name.replace(/^chain /, '')),
  );
  const actual = new Map(listed);
  for (const [name] of left) actual.delete(name);
  return differences(expected, actual);
}

/** Services looked at without a pause: a few milliseconds. */
const piece = 100;

/** In pieces, so that a table of many services does not hold up everything else of this process. */
async function expectedElements(
  set: RuleSet,
  services: readonly VipService[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const all = new Map(serviceSets.map((name) => [name, new Set<string>()]));
  for (let from = 0; from < services.length; from += piece) {
    const adds = services.slice(from, from + piece).map((service) => ({ type: 'add', service }) as const);
    const added = changesText(set, adds, { chainsGained: [], literals: { gained: [], lost: [] } });
    for (const [name, elements] of elementsOf(added.join('')))
      for (const element of elements) all.get(name)?.add(element);
    await setImmediate();
  }
  return all;
}

/** As nft prints a table that this makes. */
export async function printed(exec: HostExec, table: string, text: string): Promise<Listing> {
  const script = `nft -f - && nft -s list table ${table}`;
  const result = await exec('unshare', ['--net', 'sh', '-c', script], text);
  if (result.exitCode !== 0) throw new VipApplyFailed('nftables', result.stderr.trim().slice(0, 500));
  return parseListing(result.stdout);
}

/**
 * Without what is there for late answers only. Nothing at all when the table is gone. Undefined: it did not come to an end, because nft begins again at each change of any
 * table meanwhile.
 */
export async function inKernel(exec: HostExec, table: string): Promise<Listing | undefined> {
  const listing = ['nft', '-s', 'list', 'table', ...table.split(' ')];
  const result = await exec('timeout', [String(listingSeconds), ...listing]);
  if (result.exitCode === 124) return undefined;
  if (result.exitCode === 0) {
    const listed = new Map(parseListing(result.stdout));
    for (const chain of lateChains) listed.delete(`chain ${chain}`);
    return listed;
  }
  if (/No such file/.test(result.stderr)) return new Map();
  throw new VipApplyFailed('nftables', result.stderr.trim().slice(0, 500));
}

/** Family and table. */
function nameOf({ family, table }: RuleSet): string {
  return `${familyWords(family).ip} ${table}`;
}
