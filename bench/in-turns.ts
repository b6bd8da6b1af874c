import { percentile } from './numbers.ts';

/** What each peer's turns cost, turn by turn, by its name. */
export type Turns = ReadonlyMap<string, readonly number[]>;

/**
 * Peers in short turns, there and back again, so that whatever else goes on at a machine falls on all of them alike. The first round is not
 * counted.
 */
export async function inTurns<P extends { readonly name: string }>(
  peers: readonly P[],
  rounds: number,
  cost: (peer: P) => Promise<number>,
): Promise<Turns> {
  const turns = new Map(peers.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      const spent = await cost(peer);
      if (round > 0) turns.get(peer.name)?.push(spent);
    }
  }
  return turns;
}

export function median(turns: Turns, name: string): number {
  return percentile(turns.get(name) ?? [], 0.5);
}

/** The median of what one cost against the other in the same round, and how far the middle half of the rounds is apart. */
export function ratioOf(
  turns: Turns,
  one: string,
  other: string,
): { readonly ratio: number; readonly spread: number } {
  const others = turns.get(other) ?? [];
  const ratios = (turns.get(one) ?? []).map((cost, round) => cost / (others[round] ?? Number.NaN));
  const [low, ratio, high] = [0.25, 0.5, 0.75].map((share) => percentile(ratios, share));
  return { ratio: ratio!, spread: high! - low! };
}
