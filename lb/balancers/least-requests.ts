import type { Balancer, BalancerFactory, Candidate } from '../balancer.ts';

/** The endpoint with the fewest requests in flight; among equals each in turn. */
export const leastRequests: BalancerFactory = (chance) => new LeastRequests(chance());

class LeastRequests implements Balancer {
  #start: number;

  constructor(start: number) {
    this.#start = Math.floor(start * 65_536);
  }

  choose<C extends Candidate>(candidates: readonly C[]): C | undefined {
    this.#start = (this.#start + 1) % 0x4000_0000;
    let best: C | undefined;
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[(this.#start + i) % candidates.length]!;
      if (best === undefined || candidate.inFlight < best.inFlight) best = candidate;
    }
    return best;
  }

  settled(): void {}
}
