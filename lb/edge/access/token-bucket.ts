/** Lets so many through in a second on average, and at most `burst` at once. Times are milliseconds. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Whether one may be taken at this time. */
  has(now: number): boolean {
    if (now > this.#at) this.#tokens = Math.min(this.#burst, this.#tokens + this.#earned(now));
    this.#at = Math.max(this.#at, now);
    return this.#tokens >= 1;
  }

  take(): void {
    this.#tokens -= 1;
  }

  #earned(now: number): number {
    return this.#at === Number.NEGATIVE_INFINITY ? 0 : (now - this.#at) * this.#perMs;
  }
}
