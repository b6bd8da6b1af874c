import { MAX_NAME, plainNameText } from './name-text.ts';
import { copyName, skipName } from './name-walk.ts';
import type { Name } from './types.ts';

/** What stands before the data of a record. */
export type RecordHead = {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** Where in the packet its data ends. */
  readonly dataEnd: number;
};

/**
 * A position in a packet. Reading past the end or over a malformed name gives zeros and sets `failed`, which stays
 * set: a caller reads a whole group of fields, then looks once.
 */
export class Reader {
  readonly packet: Uint8Array;
  at: number;
  failed = false;
  readonly #scratch = Buffer.allocUnsafe(MAX_NAME);

  constructor(packet: Uint8Array, at: number) {
    this.packet = packet;
    this.at = at;
  }

  u8(): number {
    return this.#take(1) ? (this.packet[this.at - 1] ?? 0) : 0;
  }

  u16(): number {
    const high = this.u8();
    return (high << 8) | this.u8();
  }

  u32(): number {
    const high = this.u16();
    return high * 0x10000 + this.u16();
  }

  /** A view of the next bytes; empty when there are not as many. */
  bytes(length: number): Uint8Array {
    const start = this.at;
    return this.#take(length) ? this.packet.subarray(start, this.at) : this.packet.subarray(0, 0);
  }

  name(): Name {
    return plainNameText(this.#scratch, 0, this.#copyName());
  }

  /** The name in uncompressed wire form, its case kept. */
  rawName(): Uint8Array {
    return Uint8Array.from(this.#scratch.subarray(0, this.#copyName()));
  }

  #copyName(): number {
    const length = copyName(this.packet, this.at, this.#scratch);
    const end = length < 0 ? -1 : skipName(this.packet, this.at);
    if (end < 0) this.failed = true;
    else this.at = end;
    return Math.max(0, length);
  }

  #take(length: number): boolean {
    if (this.at + length > this.packet.length) {
      this.failed = true;
      return false;
    }
    this.at += length;
    return true;
  }
}
