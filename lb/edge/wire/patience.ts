import type { Clock } from '../../../core/kit/clock.ts';
import type { RouteTimeouts } from '../../../core/model/route.ts';
import type { EdgeSettings } from '../settings.ts';

const none: RouteTimeouts = {};

/** How long one exchange waits for what: as its route says, else as the edge does. Results are ms since the epoch. */
export class Patience {
  readonly #clock: Clock;
  readonly #settings: EdgeSettings;
  readonly #timeouts: RouteTimeouts;
  /** When all must be over. */
  readonly lastAt: number;

  constructor(
    { clock, settings }: { readonly clock: Clock; readonly settings: EdgeSettings },
    timeouts: RouteTimeouts = none,
  ) {
    this.#clock = clock;
    this.#settings = settings;
    this.#timeouts = timeouts;
    this.lastAt = timeouts.totalMs === undefined ? Number.POSITIVE_INFINITY : clock.now() + timeouts.totalMs;
  }

  get isOver(): boolean {
    return this.#clock.now() >= this.lastAt;
  }

  forConnect(): number {
    return this.#within(this.#timeouts.connectMs ?? this.#settings.connectMs);
  }

  forFirstByte(): number {
    return this.#within(this.#timeouts.firstByteMs ?? this.#settings.firstByteMs);
  }

  /** For more of an answer; an endpoint is not to blame when the client stalls. */
  forMore(stalled: boolean): number {
    return stalled ? this.lastAt : this.#within(this.#timeouts.idleMs ?? this.#settings.answerMs);
  }

  #within(ms: number): number {
    return Math.min(this.#clock.now() + ms, this.lastAt);
  }
}
