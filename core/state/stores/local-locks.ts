import type { Lock } from '../store.ts';

type Waiter = { readonly grant: () => void };
type Held = { readonly lost: AbortController; readonly waiters: Waiter[] };

/** Named locks between the parts of one process, for stores that only one process can have open. First come, first served. */
export class LocalLocks {
  readonly #held = new Map<string, Held>();
  readonly #nextFence: (name: string) => number | Promise<number>;

  /** `nextFence` gives a number larger than any it gave before for that name, over restarts too if the store survives them. */
  constructor(nextFence: (name: string) => number | Promise<number>) {
    this.#nextFence = nextFence;
  }

  async acquire(name: string, signal: AbortSignal): Promise<Lock> {
    signal.throwIfAborted();
    const holder = this.#held.get(name);
    if (holder !== undefined) await this.#turn(holder, signal);
    return this.#take(name, holder?.waiters ?? []);
  }

  /** Takes every lock away from its holder. */
  close(): void {
    for (const held of this.#held.values()) held.lost.abort();
  }

  #turn(holder: Held, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = () => {
        holder.waiters.splice(holder.waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        grant: () => {
          signal.removeEventListener('abort', give);
          resolve();
        },
      };
      signal.addEventListener('abort', give, { once: true });
      holder.waiters.push(waiter);
    });
  }

  async #take(name: string, waiters: Waiter[]): Promise<Lock> {
    const held: Held = { lost: new AbortController(), waiters };
    this.#held.set(name, held);
    let released = false;
    const release = async () => {
      if (released) return;
      released = true;
      const next = waiters.shift();
      if (next === undefined) this.#held.delete(name);
      else next.grant();
    };
    return { fence: await this.#nextFence(name), lost: held.lost.signal, release };
  }
}
