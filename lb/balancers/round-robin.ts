import type { Balancer, BalancerFactory, Candidate } from '../balancer.ts';

/** Each in turn. Begins anywhere, so that many edges together do not all begin with the first. */
export const roundRobin: BalancerFactory = (chance) => new RoundRobin(chance());

class RoundRobin implements Balancer {
  #next: number;

  constructor(start: number) {
    this.#next = Math.floor(start * 65_536);
  }

  choose<C extends Candidate>(candidates: readonly C[]): C | undefined {
    this.#next = (this.#next + 1) % 0x4000_0000;
    return candidates[this.#next % candidates.length];
  }

  settled(): void {}
}
