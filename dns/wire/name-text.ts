import type { Name } from './types.ts';

export const MAX_LABEL = 63;
/** Length bytes and the root's zero included (RFC 1035 section 2.3.4). */
export const MAX_NAME = 255;

const DOT = 0x2e;
const BACKSLASH = 0x5c;
const CASE_BIT = 0x20;

/**
 * The end (after the root's zero) of the uncompressed name at `at`, or -1 when it has a pointer, a long label, is too
 * long, or does not end inside the packet.
 */
export function plainNameEnd(packet: Uint8Array, at: number): number {
  const start = at;
  for (;;) {
    const length = packet[at];
    if (length === undefined || length > MAX_LABEL) return -1;
    at += length + 1;
    if (at - start > MAX_NAME) return -1;
    if (length === 0) return at;
  }
}

/** The text of the uncompressed, already checked name in `wire[start, end)`. */
export function plainNameText(wire: Uint8Array, start: number, end: number): Name {
  if (end - start < 3) return '';
  const text = Buffer.allocUnsafe(end - start - 2);
  let labelEnd = start;
  for (let at = start; at < end - 1; at++) {
    let byte = wire[at] ?? 0;
    if (at === labelEnd) {
      labelEnd = at + byte + 1;
      byte = DOT;
    } else if (byte >= 0x41 && byte <= 0x5a) {
      byte |= 0x20;
    } else if (byte < 0x21 || byte > 0x7e || byte === DOT || byte === BACKSLASH) {
      return escapedNameText(wire, start);
    }
    if (at > start) text[at - start - 1] = byte;
  }
  return text.toString('latin1');
}

function escapedNameText(wire: Uint8Array, start: number): Name {
  const labels: string[] = [];
  for (let at = start; ; ) {
    const length = wire[at] ?? 0;
    if (length === 0) return labels.join('.');
    labels.push(labelText(wire.subarray(at + 1, at + 1 + length)));
    at += length + 1;
  }
}

/** One label of a name's text. */
export function labelText(label: ArrayLike<number>): string {
  let text = '';
  for (let i = 0; i < label.length; i++) text += byteText(label[i] ?? 0);
  return text;
}

function byteText(byte: number): string {
  if (byte === DOT || byte === BACKSLASH) return `\\${String.fromCharCode(byte)}`;
  if (byte < 0x21 || byte > 0x7e) return `\\${String(byte).padStart(3, '0')}`;
  return String.fromCharCode(lowerCase(byte));
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/**
 * Gives every letter of a question's name a random case (the 0x20 practice), so that a forged reply must guess it too.
 * `bit` returns 0 or 1. Changes `raw` in place; only its name part is touched.
 */
export function mixCase(raw: Uint8Array, bit: () => number): void {
  let labelAt = 0;
  for (let at = 0; at < raw.length - 4; at++) {
    const byte = raw[at] ?? 0;
    if (at === labelAt) labelAt = at + byte + 1;
    else if (isLetter(byte)) {
      raw[at] = bit() === 0 ? byte | CASE_BIT : byte & ~CASE_BIT;
    }
  }
}

function isLetter(byte: number): boolean {
  const lower = byte | CASE_BIT;
  return lower >= 0x61 && lower <= 0x7a;
}
