import type { Clock } from '../../../core/kit/clock.ts';

/** The Date of answers that have none (RFC 9110 §6.6.1), written once a second. */
export class HttpDate {
  readonly #clock: Clock;
  #second = Number.NaN;
  #line = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A field line with its CRLF. */
  get line(): string {
    const second = Math.floor(this.#clock.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = `Date: ${new Date(second * 1_000).toUTCString()}\r\n`;
    }
    return this.#line;
  }
}
