import type { Clock } from '../../../core/kit/clock.ts';

/** Something that must not last for ever. `deadlineAt` is in ms since the epoch; Infinity: no limit now. */
export interface Deadlined {
  readonly deadlineAt: number;
  overdue(): void;
}

const sweepMs = 250;

/**
 * Watches the deadlines of all connections with one sweep instead of one timer each: moving a deadline is then a plain
 * assignment. A deadline is noticed up to 250 ms late. Nothing runs while there is nothing to watch.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #watched = new Set<Deadlined>();
  #sweeping = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(item: Deadlined): void {
    this.#watched.add(item);
    if (!this.#sweeping) void this.#sweep();
  }

  delete(item: Deadlined): void {
    this.#watched.delete(item);
  }

  async #sweep(): Promise<void> {
    this.#sweeping = true;
    while (this.#watched.size > 0) {
      await this.#clock.sleep(sweepMs);
      const now = this.#clock.now();
      for (const item of this.#watched) if (item.deadlineAt <= now) item.overdue();
    }
    this.#sweeping = false;
  }
}
