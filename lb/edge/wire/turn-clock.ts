import type { Clock } from '../../../core/kit/clock.ts';

/**
 * A clock that stands still within one turn of the event loop: a request asks for the time seven times, which would be 2 % of its
 * CPU time. Behind by no more than the turn's own work.
 */
export class TurnClock implements Clock {
  readonly #clock: Clock;
  #now: number | undefined;
  readonly #forget = () => {
    this.#now = undefined;
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    if (this.#now !== undefined) return this.#now;
    // While an immediate waits, the loop does not wait for anything else.
    setImmediate(this.#forget);
    this.#now = this.#clock.now();
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal);
  }
}
