import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../core/kit/clock.ts';
import type { Part } from '../../../core/kit/part.ts';

/** As node:tls takes them: 16 bytes of name, 16 for the signature, 16 for encryption. */
const keyBytes = 48;
/** Who has the key of a ticket can read what was said in the sessions it resumed: none is kept for long. */
const rotateMs = 6 * 3_600_000;

/** The key that session tickets of all workers of this edge are made with, in memory only, and another one from time to time. */
export class TicketKeys implements Part {
  readonly #clock: Clock;
  readonly #onRotate: () => void;
  #key = randomBytes(keyBytes);
  #stopping = new AbortController();

  constructor(clock: Clock, onRotate: () => void) {
    this.#clock = clock;
    this.#onRotate = onRotate;
  }

  /** Base64. */
  get key(): string {
    return this.#key.toString('base64');
  }

  /** That of the edge before: sessions that it began are resumed. */
  take(key: string): void {
    this.#key = Buffer.from(key, 'base64');
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController();
    void this.#rotate(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
  }

  async #rotate(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(rotateMs, signal).catch(() => {});
      if (signal.aborted) return;
      this.#key = randomBytes(keyBytes);
      this.#onRotate();
    }
  }
}
