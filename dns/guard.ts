import { type CookieRead, Cookies } from './edns/cookies.ts';
import type { RateLimitOptions } from './options.ts';
import { RateLimit } from './rate-limit.ts';

/** Plain data: every thread makes its own guard of it. */
export type GuardOptions = {
  /** Sixteen bytes. */
  readonly cookieSecret: Uint8Array;
  /** Absent: no limit. */
  readonly rateLimit?: RateLimitOptions | undefined;
  readonly salt: number;
};

/** Tells clients that are where they say from those that may not be, and sends the latter little. */
export class Guard {
  readonly #cookies: Cookies;
  readonly #limit: RateLimit | undefined;
  #now = 0;

  constructor({ cookieSecret, rateLimit, salt }: GuardOptions) {
    this.#cookies = new Cookies(cookieSecret);
    this.#limit = rateLimit && new RateLimit(rateLimit, salt);
  }

  /** Milliseconds since the epoch; what follows happens then. */
  set now(now: number) {
    this.#now = now;
  }

  /** See Cookies.read; `address` is 4 or 16 bytes. The reply's option is `cookieOption` until the next call. */
  readCookie(cookie: Uint8Array, address: Uint8Array): CookieRead {
    return this.#cookies.read(cookie, address, Math.floor(this.#now / 1_000));
  }

  get cookieOption(): Uint8Array {
    return this.#cookies.option;
  }

  /** See RateLimit.allows. */
  allows(network: number, query: number, reply: number): boolean {
    return this.#limit === undefined || this.#limit.allows(network, query, reply, this.#now);
  }
}
