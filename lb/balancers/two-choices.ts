import type { Balancer, BalancerFactory, Candidate } from '../balancer.ts';

/** The less busy of two drawn at random: nearly as even as least-requests, and edges do not herd onto one endpoint. */
export const twoChoices: BalancerFactory = (chance) => new TwoChoices(chance);

class TwoChoices implements Balancer {
  readonly #chance: () => number;

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  choose<C extends Candidate>(candidates: readonly C[]): C | undefined {
    const count = candidates.length;
    const first = Math.floor(this.#chance() * count);
    if (count < 2) return candidates[first];
    const second = (first + 1 + Math.floor(this.#chance() * (count - 1))) % count;
    const [a, b] = [candidates[first]!, candidates[second]!];
    return b.inFlight < a.inFlight ? b : a;
  }

  settled(): void {}
}
