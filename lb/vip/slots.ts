import { createHash } from 'node:crypto';
import type { VipBalance } from '../../core/model/vip-policy.ts';
import { targetKey, type VipService, type VipTarget } from './table.ts';

/** What picks a slot: chance, the client's address, or its address and port. */
export type SlotChoice = 'random' | 'address' | 'flow';

/** A service as a data plane has it: a row of slots, one of which a new connection takes. Shares are in how many slots lead to a backend. */
export type Slots = { readonly choice: SlotChoice; readonly targets: readonly VipTarget[] };

/** Most slots of a service that is chosen from at random; shares are rounded to this. */
const maxRandom = 256;
/** Maglev's tables: primes, so that every step through them meets all slots. About a hundred for each backend (vip.md §15). */
const primes = [251, 1_021, 4_093, 16_381] as const;

/** Pure: the same backends give the same row on every node. */
export function slotsOf({ protocol, backends, balance = 'random' }: VipService): Slots {
  const choice = choices[balance];
  if (choice === 'random' || backends.length === 0) return { choice: 'random', targets: repeated(backends) };
  const size = primes.find((prime) => prime >= backends.length * 100) ?? primes.at(-1)!;
  return { choice, targets: maglev(protocol, backends, size) };
}

/** A data plane that only sees packets cannot count open connections: it chooses at random then. */
const choices: Readonly<Record<VipBalance, SlotChoice>> = {
  random: 'random',
  'least-connections': 'random',
  'source-hash': 'address',
  maglev: 'flow',
};

/** Each backend as often as its weight, in lowest terms. */
function repeated(backends: readonly VipTarget[]): readonly VipTarget[] {
  const weights = backends.map(({ weight = 1 }) => weight);
  const divisor = weights.reduce(greatestDivisor, 0) || 1;
  const total = weights.reduce((sum, weight) => sum + weight, 0) / divisor;
  const scale = total > maxRandom ? maxRandom / total : 1;
  return backends.flatMap((target, i) =>
    Array.from({ length: Math.max(1, Math.round((weights[i]! / divisor) * scale)) }, () => target),
  );
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Maglev's filling (vip.md §15): a backend that leaves moves its own share and little else. */
function maglev(
  protocol: VipService['protocol'],
  backends: readonly VipTarget[],
  size: number,
): readonly VipTarget[] {
  const heaviest = Math.max(...backends.map(({ weight = 1 }) => weight));
  const takers = backends.map((target) => ({ target, ...permutation(targetKey(protocol, target), size) }));
  const turns = takers.map(() => 0);
  const row: (VipTarget | undefined)[] = new Array(size).fill(undefined);
  for (let filled = 0; ; ) {
    for (const [i, taker] of takers.entries()) {
      turns[i]! += (taker.target.weight ?? 1) / heaviest;
      if (turns[i]! < 1) continue;
      turns[i]! -= 1;
      while (row[taker.next] !== undefined) taker.next = (taker.next + taker.skip) % size;
      row[taker.next] = taker.target;
      if (++filled === size) return row.flatMap((target) => target ?? []);
    }
  }
}

/** Where a backend begins, and its step; by its address, so that instances and nodes agree. */
function permutation(name: string, size: number): { next: number; readonly skip: number } {
  const hash = createHash('sha1').update(name).digest();
  return { next: hash.readUInt32BE(0) % size, skip: (hash.readUInt32BE(4) % (size - 1)) + 1 };
}
