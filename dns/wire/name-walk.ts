import { MAX_LABEL, MAX_NAME } from './name-text.ts';
import { HEADER_LENGTH } from './types.ts';

/** A name has at most 127 labels, so no honest encoder needs more pointers than that. */
const MAX_POINTERS = 127;

/**
 * Follows the name at `at` and its pointers, copies it to `into` (at least 255 bytes; when given) in uncompressed wire
 * form, and returns its length in that form, or -1 when it is malformed. A pointer must lead to before the run of labels it ends (RFC 1035
 * section 4.1.4, "a prior occurrence") and not into the header: every jump goes strictly backwards, so no loop exists.
 */
export function copyName(packet: Uint8Array, at: number, into?: Uint8Array): number {
  let runStart = at;
  let written = 0;
  let pointers = 0;
  for (;;) {
    const length = packet[at];
    if (length === undefined) return -1;
    if (length >= 0xc0) {
      const target = pointerAt(packet, at);
      if (target < HEADER_LENGTH || target >= runStart || ++pointers > MAX_POINTERS) return -1;
      at = target;
      runStart = target;
      continue;
    }
    const end = at + 1 + length;
    if (length > MAX_LABEL || end > packet.length || written + length + 1 > MAX_NAME) return -1;
    for (let from = at; into !== undefined && from < end; from++)
      into[written + from - at] = packet[from] ?? 0;
    written += length + 1;
    at = end;
    if (length === 0) return written;
  }
}

/**
 * The end of the name at `at` in its own place (a pointer ends it), or -1 when it is malformed. Where the pointer
 * leads is checked as in `copyName`, but not followed.
 */
export function skipName(packet: Uint8Array, at: number): number {
  const start = at;
  for (;;) {
    const length = packet[at];
    if (length === undefined) return -1;
    if (length >= 0xc0) {
      const target = pointerAt(packet, at);
      return target < HEADER_LENGTH || target >= start ? -1 : at + 2;
    }
    if (length > MAX_LABEL) return -1;
    at += length + 1;
    if (at - start > MAX_NAME) return -1;
    if (length === 0) return at;
  }
}

function pointerAt(packet: Uint8Array, at: number): number {
  const low = packet[at + 1];
  return low === undefined ? -1 : (((packet[at] ?? 0) & 0x3f) << 8) | low;
}
