import type { BalanceRequest, Balancer, BalancerFactory, Candidate } from '../balancer.ts';

/**
 * Rendezvous hashing with bounded load: the same key goes to the same endpoint, and when one comes or goes only the keys it wins
 * or loses move. An endpoint that already carries a quarter more than its share is passed over: its keys overflow to the next.
 */
export const hash: BalancerFactory = () => new RendezvousHash();

const mostOfShare = 1.25;

class RendezvousHash implements Balancer {
  choose<C extends Candidate>(candidates: readonly C[], request: BalanceRequest): C | undefined {
    const bound = boundOf(candidates);
    let best: C | undefined;
    let highest = -1;
    for (const candidate of candidates) {
      if (candidate.inFlight >= bound) continue;
      const score = scoreOf(request.hashKey, candidate.key);
      if (score > highest) [best, highest] = [candidate, score];
    }
    return best;
  }

  settled(): void {}
}

/** How many requests an endpoint may carry, this one included; some always carry fewer. */
function boundOf(candidates: readonly Candidate[]): number {
  let total = 1;
  for (const { inFlight } of candidates) total += inFlight;
  return Math.ceil((mostOfShare * total) / candidates.length);
}

/** FNV-1a over both texts, then the finisher of MurmurHash3 so that near keys do not get near scores. */
function scoreOf(requestKey: string, candidateKey: string): number {
  let state = 0x811c9dc5;
  for (const text of [requestKey, candidateKey]) {
    for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
    state = Math.imul(state ^ 0xff, 0x01000193);
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
