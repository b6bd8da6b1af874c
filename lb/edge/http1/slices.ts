import { latin1 } from './latin1.ts';

/** Which bytes of a read are to be handed on: ranges of the read buffer, then a text. Reused from read to read. */
export class Slices {
  /** Written after the ranges; latin1. */
  tail = '';
  /** The bytes are where a connection reads to: whoever still needs them after the call may keep that memory, by saying so to `ReadMemory`. */
  lent = false;
  readonly #bounds: number[] = [];
  #length = 0;
  #bytes = 0;

  /** Bytes to hand on. */
  get size(): number {
    return this.#bytes + this.tail.length;
  }

  clear(): void {
    this.#length = 0;
    this.#bytes = 0;
    this.tail = '';
    this.lent = false;
  }

  add(from: number, to: number): void {
    this.#bytes += to - from;
    const last = this.#length - 1;
    if (last > 0 && this.#bounds[last] === from) {
      this.#bounds[last] = to;
      return;
    }
    this.#bounds[this.#length++] = from;
    this.#bounds[this.#length++] = to;
  }

  /** All of it without a copy; undefined when it does not lie in one piece. */
  piece(buffer: Buffer): Buffer | undefined {
    if (this.#length !== 2 || this.tail !== '') return undefined;
    return buffer.subarray(this.#bounds[0], this.#bounds[1]);
  }

  /** As text, one character per byte: cheapest for what is small and will follow a head. */
  text(buffer: Buffer): string {
    let text = '';
    for (let i = 0; i < this.#length; i += 2) {
      text += latin1(buffer, this.#bounds[i]!, this.#bounds[i + 1]!);
    }
    return text + this.tail;
  }

  /** A copy; undefined when there is nothing. */
  taken(buffer: Buffer): Buffer | undefined {
    return this.size === 0 ? undefined : this.copy(buffer);
  }

  /** A copy that stays valid when the read buffer is used again. */
  copy(buffer: Buffer): Buffer {
    const copy = Buffer.allocUnsafe(this.size);
    let at = 0;
    for (let i = 0; i < this.#length; i += 2) {
      at += buffer.copy(copy, at, this.#bounds[i], this.#bounds[i + 1]);
    }
    copy.write(this.tail, at, 'latin1');
    return copy;
  }
}
