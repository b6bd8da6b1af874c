import { UnencodableError } from './errors.ts';
import { assertFits, byteAt, charactersAt, labelEnd } from './name.ts';
import { MAX_LABEL } from './name-text.ts';
import type { Name } from './types.ts';

/** A pointer has fourteen bits (RFC 1035 section 4.1.4). */
const POINTER_REACH = 0x4000;
const FIRST_SIZE = 512;

/**
 * Bytes that grow up to `limit`. What goes beyond it is not written and sets `overflowed`; `rewind` takes a record that
 * did not fit back.
 */
export class Writer {
  bytes: Buffer;
  at = 0;
  overflowed = false;
  readonly limit: number;
  readonly #names = new Map<Name, number>();

  constructor(limit: number) {
    this.limit = limit;
    this.bytes = Buffer.allocUnsafe(Math.min(FIRST_SIZE, limit));
  }

  u8(value: number): void {
    if (this.#has(1)) this.bytes[this.at++] = value;
  }

  u16(value: number): void {
    if (!this.#has(2)) return;
    this.bytes[this.at++] = value >> 8;
    this.bytes[this.at++] = value;
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }

  raw(bytes: ArrayLike<number>): void {
    if (!this.#has(bytes.length)) return;
    for (let i = 0; i < bytes.length; i++) this.bytes[this.at++] = bytes[i] ?? 0;
  }

  /** Overwrites two bytes written before. */
  patchU16(at: number, value: number): void {
    this.bytes[at] = value >> 8;
    this.bytes[at + 1] = value;
  }

  /** A name whose tail is a pointer when the tail was written before. */
  name(name: Name): void {
    this.#name(name, true);
  }

  /** A name in full; later names may still point to it. */
  wholeName(name: Name): void {
    this.#name(name, false);
  }

  /** Makes the name written at `at` in full known for compression. */
  know(name: Name, at: number): void {
    let rest = name;
    while (rest !== '') {
      this.#know(rest, at);
      const end = labelEnd(rest, 0);
      at += labelLength(rest, end) + 1;
      rest = rest.slice(end + 1);
    }
  }

  /**
   * Back to `at`, an earlier value of `this.at`. Names written since stay known, so only bytes without names may follow.
   */
  rewind(at: number): void {
    this.at = at;
    this.overflowed = false;
  }

  #name(name: Name, compressed: boolean): void {
    assertFits(name);
    let rest = name;
    while (rest !== '') {
      const known = compressed ? this.#names.get(rest) : undefined;
      if (known !== undefined) {
        this.u16(0xc000 | known);
        return;
      }
      this.#know(rest, this.at);
      const end = labelEnd(rest, 0);
      this.#label(rest, end);
      rest = rest.slice(end + 1);
    }
    this.u8(0);
  }

  #know(name: Name, at: number): void {
    if (at < POINTER_REACH && !this.#names.has(name)) this.#names.set(name, at);
  }

  #label(text: string, end: number): void {
    const length = labelLength(text, end);
    if (length === 0 || length > MAX_LABEL || end === text.length - 1) {
      throw new UnencodableError(`Cannot encode the name ending in '${text}': a label needs 1 to 63 bytes`);
    }
    if (!this.#has(length + 1)) return;
    this.bytes[this.at++] = length;
    for (let at = 0; at < end; at += charactersAt(text, at)) {
      const byte = byteAt(text, at);
      if (byte < 0)
        throw new UnencodableError(`Cannot encode the name ending in '${text}': unreadable at ${at}`);
      this.bytes[this.at++] = byte;
    }
  }

  #has(length: number): boolean {
    if (this.overflowed || this.at + length > this.limit) {
      this.overflowed = true;
      return false;
    }
    if (this.at + length > this.bytes.length) this.#grow(this.at + length);
    return true;
  }

  #grow(needed: number): void {
    const bytes = Buffer.allocUnsafe(Math.min(this.limit, Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(bytes, 0, 0, this.at);
    this.bytes = bytes;
  }
}

/** The bytes of the label `text[0, end)`. */
function labelLength(text: string, end: number): number {
  let length = 0;
  for (let at = 0; at < end; at += charactersAt(text, at)) length += 1;
  return length;
}
