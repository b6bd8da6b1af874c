/** 64-bit words as pairs of 32-bit halves. */
type Key = { readonly k0: Pair; readonly k1: Pair };
type Pair = { readonly low: number; readonly high: number };

/** A key for `SipHash`: sixteen bytes, least significant first. */
export function sipKey(bytes: Uint8Array): Key {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const pair = (at: number): Pair => ({ low: view.getInt32(at, true), high: view.getInt32(at + 4, true) });
  return { k0: pair(0), k1: pair(8) };
}

/**
 * SipHash-2-4 of up to a few dozen bytes, without an allocation: four 64-bit words held as eight 32-bit ones. The result is
 * read with `writeTo`.
 */
export class SipHash {
  readonly #key: Key;
  /** v0, v1, v2, v3: low half, high half of each. */
  readonly #v = new Int32Array(8);

  constructor(key: Uint8Array) {
    this.#key = sipKey(key);
  }

  /** Hashes `bytes[0, length)`. */
  hash(bytes: Uint8Array, length: number): void {
    this.#begin();
    const whole = length & ~7;
    for (let at = 0; at < whole; at += 8) this.#word(word(bytes, at, 4), word(bytes, at + 4, 4));
    const left = length - whole;
    const low = word(bytes, whole, Math.min(left, 4));
    const high = word(bytes, whole + 4, Math.max(0, left - 4)) | (length << 24);
    this.#word(low, high);
    this.#v[4]! ^= 0xff;
    for (let round = 0; round < 4; round++) this.#round();
  }

  /** Eight bytes, least significant first. */
  writeTo(into: Uint8Array, at: number): void {
    const v = this.#v;
    put(into, at, v[0]! ^ v[2]! ^ v[4]! ^ v[6]!);
    put(into, at + 4, v[1]! ^ v[3]! ^ v[5]! ^ v[7]!);
  }

  #begin(): void {
    const { k0, k1 } = this.#key;
    const v = this.#v;
    v[0] = k0.low ^ 0x70736575;
    v[1] = k0.high ^ 0x736f6d65;
    v[2] = k1.low ^ 0x6e646f6d;
    v[3] = k1.high ^ 0x646f7261;
    v[4] = k0.low ^ 0x6e657261;
    v[5] = k0.high ^ 0x6c796765;
    v[6] = k1.low ^ 0x79746573;
    v[7] = k1.high ^ 0x74656462;
  }

  #word(low: number, high: number): void {
    const v = this.#v;
    v[6]! ^= low;
    v[7]! ^= high;
    this.#round();
    this.#round();
    v[0]! ^= low;
    v[1]! ^= high;
  }

  #round(): void {
    const v = this.#v;
    add(v, 0, 2);
    rotate(v, 2, 13);
    v[2]! ^= v[0]!;
    v[3]! ^= v[1]!;
    swap(v, 0);
    add(v, 4, 6);
    rotate(v, 6, 16);
    v[6]! ^= v[4]!;
    v[7]! ^= v[5]!;
    add(v, 0, 6);
    rotate(v, 6, 21);
    v[6]! ^= v[0]!;
    v[7]! ^= v[1]!;
    add(v, 4, 2);
    rotate(v, 2, 17);
    v[2]! ^= v[4]!;
    v[3]! ^= v[5]!;
    swap(v, 4);
  }
}

/** The word at `to` plus the one at `from`. */
function add(v: Int32Array, to: number, from: number): void {
  const low = (v[to]! >>> 0) + (v[from]! >>> 0);
  v[to] = low;
  v[to + 1] = v[to + 1]! + v[from + 1]! + (low > 0xffffffff ? 1 : 0);
}

/** To the left, by 1 to 31 bits. */
function rotate(v: Int32Array, at: number, bits: number): void {
  const low = v[at]!;
  const high = v[at + 1]!;
  v[at] = (low << bits) | (high >>> (32 - bits));
  v[at + 1] = (high << bits) | (low >>> (32 - bits));
}

/** To the left by 32 bits. */
function swap(v: Int32Array, at: number): void {
  const low = v[at]!;
  v[at] = v[at + 1]!;
  v[at + 1] = low;
}

function word(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value |= bytes[at + i]! << (8 * i);
  return value;
}

function put(into: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) into[at + i] = value >>> (8 * i);
}
