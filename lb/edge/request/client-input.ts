import { Backlog } from '../listeners/backlog.ts';

export interface InputUser {
  /** Uses what it can between `at` and `end`; gives the offset of the first byte that must wait, `at` when that is all. */
  step(buffer: Buffer, at: number, end: number): number;
  /** What waits may be half a head: it is worth looking at when there is more of it. */
  readonly awaitsHead: boolean;
  /** More waits than should. */
  flooded(): void;
}

/** A pipeline longer than this is not read on until the present exchange has ended. */
const maxBacklogBytes = 65_536;
/** A head this short is read again with every piece of it, so that nonsense is refused at once. */
const eagerBytes = 2_048;

/** The bytes of a client in their order: used as they come, and those that cannot be used yet again later. */
export class ClientInput {
  readonly #user: InputUser;
  readonly #maxHeadBytes: number;
  readonly #backlog = new Backlog();
  #processing = false;
  #closed = false;

  constructor(user: InputUser, maxHeadBytes: number) {
    this.#user = user;
    this.#maxHeadBytes = maxHeadBytes;
  }

  /** It is being looked at right now: `waiting` is too high. */
  get busy(): boolean {
    return this.#processing;
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.#backlog.length;
  }

  take(buffer: Buffer, length: number): void {
    if (this.#closed) return;
    if (this.#backlog.length > 0 || this.#processing) {
      this.#backlog.append(buffer, 0, length);
      this.again();
      return;
    }
    const rest = this.#process(buffer, 0, length);
    if (rest < length) this.#backlog.append(buffer, rest, length);
    this.#limit();
  }

  /** Looks at what waits: something has changed for it. `anew`: even if it is the head that could not be used before. */
  again(anew = false): void {
    if (this.#closed) return;
    if (!this.#processing && this.#backlog.length > 0 && (anew || this.#isWorthReading())) {
      const { bytes, start, end } = this.#backlog;
      const rest = this.#process(bytes, start, end);
      // More may have been appended meanwhile, but never in front of `rest`.
      this.#backlog.consume(rest);
    }
    this.#limit();
  }

  /** All that waits, for good: what comes later is not taken any more. */
  handOver(take: (buffer: Buffer, start: number, end: number) => void): void {
    this.#closed = true;
    const { bytes, start, end } = this.#backlog;
    take(bytes, start, end);
    this.#backlog.consume(end);
  }

  /** Nothing is looked at any more. */
  close(): void {
    this.#closed = true;
  }

  #process(buffer: Buffer, start: number, end: number): number {
    this.#processing = true;
    let at = start;
    while (at < end && !this.#closed) {
      const next = this.#user.step(buffer, at, end);
      if (next === at) break;
      at = next;
    }
    this.#processing = false;
    return this.#closed ? end : at;
  }

  /** A long head is read again only when another line of it is complete: a client that sends single bytes costs little. */
  #isWorthReading(): boolean {
    const { length } = this.#backlog;
    if (!this.#user.awaitsHead || length <= eagerBytes || length >= this.#maxHeadBytes) return true;
    return this.#backlog.hasNewLine();
  }

  #limit(): void {
    if (this.#backlog.length > maxBacklogBytes) this.#user.flooded();
  }
}
