/** An endpoint as a balancer sees it. `inFlight` is live: the requests it carries now from this edge. */
export type Candidate = { readonly key: string; readonly inFlight: number };

export type BalanceRequest = {
  /** What a hashing balancer spreads by; the client's address unless the route says otherwise. */
  readonly hashKey: string;
};

/** `refused`: no connection; `failed`: a connection but no whole answer. */
export type Outcome = 'answered' | 'refused' | 'failed';

/** Chooses among the endpoints of one pool. One balancer serves one pool; it sees the pool change under it. */
export interface Balancer {
  /** One of `candidates`; undefined only when there are none. Must not keep the list. */
  choose<C extends Candidate>(candidates: readonly C[], request: BalanceRequest): C | undefined;
  /** What came of a choice. The candidate may have left the pool meanwhile. */
  settled(candidate: Candidate, outcome: Outcome): void;
}

/** Makes a balancer for a new pool. `chance` gives numbers in [0, 1). */
export type BalancerFactory = (chance: () => number) => Balancer;
