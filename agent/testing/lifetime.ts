import type { Clock } from '../../core/kit/clock.ts';

/** Thrown nowhere: a dead process does not go on. */
const never = new Promise<never>(() => {});

/**
 * One process of an agent, which `kill -9` may end between any two of its acts on the world. Every act is counted twice:
 * before it is done, and after it is done but before the process hears of it. At the number given it dies: `onDeath` is
 * called, and from then on nothing it asks for is done and nothing it waits for comes.
 */
export class Lifetime {
  #diesAt: number;
  readonly #onDeath: () => void;
  #passed = 0;
  #dead = false;
  /** What it was about to do, or had just done. */
  lastAct = 'start';

  constructor(diesAt: number, onDeath: () => void) {
    this.#diesAt = diesAt;
    this.#onDeath = onDeath;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** The same object with the given methods counted. */
  guard<T extends object>(target: T, acts: readonly (keyof T & string)[]): T {
    const guarded: T = Object.create(target);
    for (const name of acts) {
      const act = target[name];
      if (typeof act !== 'function') throw new Error(`${name} is no method`);
      Object.assign(guarded, {
        [name]: async (...args: unknown[]) => {
          await this.#pass(`before ${name}`);
          const result: unknown = await act.apply(target, args);
          await this.#pass(`after ${name}`);
          return result;
        },
      });
    }
    return guarded;
  }

  /** What comes from outside comes to the living only. */
  async *stream<T>(items: AsyncIterable<T>): AsyncIterable<T> {
    for await (const item of items) {
      if (this.#dead) await never;
      yield item;
    }
    if (this.#dead) await never;
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        if (this.#dead) await never;
      },
    };
  }

  /** It is not killed any more. */
  spare(): void {
    this.#diesAt = Number.POSITIVE_INFINITY;
  }

  async #pass(act: string): Promise<void> {
    if (this.#dead) return never;
    this.#passed += 1;
    if (this.#passed !== this.#diesAt) return;
    this.lastAct = act;
    this.#dead = true;
    this.#onDeath();
    return never;
  }
}
