import type { Clock } from '../../../core/kit/clock.ts';
import type { PoolEndpoint } from '../routes/route-table.ts';

/** How a request fared on its way to an endpoint and back. */
export class Journey {
  readonly #clock: Clock;
  /** ms since the epoch. */
  readonly begunAt: number;
  /** The endpoint that was tried last. */
  endpoint: PoolEndpoint | undefined;
  retries = 0;
  /** How long the last connection took to be made; undefined: there was one already. */
  connectMs: number | undefined;
  firstByteMs: number | undefined;
  #connectsFrom = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.begunAt = clock.now();
  }

  get totalMs(): number {
    return Math.max(0, this.#clock.now() - this.begunAt);
  }

  tries(endpoint: PoolEndpoint, { ready }: { readonly ready: boolean }): void {
    if (this.endpoint !== undefined) this.retries++;
    this.endpoint = endpoint;
    this.connectMs = undefined;
    if (!ready) this.#connectsFrom = this.#clock.now();
  }

  connected(): void {
    this.connectMs = Math.max(0, this.#clock.now() - this.#connectsFrom);
  }

  answered(): void {
    this.firstByteMs = this.totalMs;
  }
}
