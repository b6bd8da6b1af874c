import { LF } from '../http1/characters.ts';

const smallest = 1_024;

/** Bytes that have come but cannot be used yet: half a head, or the next request of a pipeline. */
export class Backlog {
  #bytes = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** How far it was searched for the end of a line. */
  #searched = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** The memory that holds the bytes from `start` to `end`; valid until the next `append`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  append(buffer: Buffer, from: number, to: number): void {
    const added = to - from;
    if (this.#end + added > this.#bytes.length) this.#grow(added);
    buffer.copy(this.#bytes, this.#end, from, to);
    this.#end += added;
  }

  /** Whether another line was completed since the last look, or since `consume`. */
  hasNewLine(): boolean {
    const found = this.#bytes.subarray(Math.max(this.#start, this.#searched), this.#end).includes(LF);
    this.#searched = this.#end;
    return found;
  }

  /** Forgets what lies before `offset` (an offset into `bytes`); frees the memory when nothing is left. */
  consume(offset: number): void {
    this.#start = offset;
    this.#searched = offset;
    if (this.#start < this.#end) return;
    this.#bytes = Buffer.alloc(0);
    this.#start = 0;
    this.#end = 0;
  }

  #grow(added: number): void {
    const kept = this.length;
    const capacity = Math.max(smallest, 2 ** Math.ceil(Math.log2(kept + added)));
    const next = capacity > this.#bytes.length ? Buffer.allocUnsafeSlow(capacity) : this.#bytes;
    this.#bytes.copy(next, 0, this.#start, this.#end);
    this.#bytes = next;
    this.#searched = Math.max(0, this.#searched - this.#start);
    this.#start = 0;
    this.#end = kept;
  }
}
