/** What an operation touches. */
export type Claim = {
  readonly containerId?: string;
  readonly network?: string;
  /** No other operation of the network may run at the same time. */
  readonly exclusive?: boolean;
};

export type Schedule = {
  /**
   * Runs `work` when it is its turn: after every earlier operation of the same container, never beside an exclusive one of its network,
   * and never more than `limit` at once. Operations that do not meet may overtake each other.
   */
  run<T>(claim: Claim, work: () => Promise<T>): Promise<T>;
};

type Waiting = { readonly claim: Claim; readonly begin: () => void };

export function createSchedule(limit: number): Schedule {
  const running = new Set<Claim>();
  let waiting: readonly Waiting[] = [];

  function dispatch(): void {
    const { ready, rest } = pick([...running], waiting, limit);
    waiting = rest;
    for (const { claim } of ready) running.add(claim);
    for (const { begin } of ready) begin();
  }

  async function finish<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      running.delete(claim);
      dispatch();
    }
  }

  return {
    run(claim, work) {
      const own = { ...claim };
      return new Promise((resolve, reject) => {
        const begin = () => void finish(own, work).then(resolve, reject);
        waiting = [...waiting, { claim: own, begin }];
        dispatch();
      });
    },
  };
}

/** An operation that has to wait also holds back later ones it conflicts with: first come, first served per container and network. */
function pick(running: readonly Claim[], waiting: readonly Waiting[], limit: number) {
  const taken = new Taken(running);
  const ready: Waiting[] = [];
  const rest: Waiting[] = [];
  for (const entry of waiting) {
    const free = running.length + ready.length < limit;
    if (free && !taken.conflicts(entry.claim)) ready.push(entry);
    else rest.push(entry);
    taken.add(entry.claim);
  }
  return { ready, rest };
}

class Taken {
  readonly #containers = new Set<string>();
  readonly #networks = new Set<string>();
  readonly #exclusive = new Set<string>();

  constructor(claims: readonly Claim[]) {
    for (const claim of claims) this.add(claim);
  }

  add({ containerId, network, exclusive = false }: Claim): void {
    if (containerId !== undefined) this.#containers.add(containerId);
    if (network !== undefined) this.#networks.add(network);
    if (network !== undefined && exclusive) this.#exclusive.add(network);
  }

  conflicts({ containerId, network, exclusive = false }: Claim): boolean {
    if (containerId !== undefined && this.#containers.has(containerId)) return true;
    if (network === undefined) return false;
    return this.#exclusive.has(network) || (exclusive && this.#networks.has(network));
  }
}
