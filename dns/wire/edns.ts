import type { Edns } from './types.ts';
import { TYPE } from './types.ts';

/** Owner, type, size, extended code, version, flags and length of an OPT record without options. */
export const OPT_LENGTH = 11;
export const DNSSEC_OK = 0x8000;
export const OPTION_NSID = 3;
export const OPTION_COOKIE = 10;
export const OPTION_PADDING = 12;
export const OPTION_EXTENDED_ERROR = 15;
/** What every DNS sender may send and every receiver takes over UDP without EDNS (RFC 1035 section 4.2.1). */
export const PLAIN_UDP_LIMIT = 512;

const NO_OPTIONS = new Uint8Array(0);

/** An OPT for a query or reply without options. `udpSize` in bytes. */
export function edns(udpSize: number, parts: Partial<Edns> = {}): Edns {
  return { udpSize, extendedRcode: 0, version: 0, flags: 0, options: NO_OPTIONS, ...parts };
}

/** The largest UDP reply for a client: what it takes, at least 512, at most `cap` bytes (RFC 6891 section 6.2.5). */
export function udpLimit(asked: Edns | undefined, cap: number): number {
  if (asked === undefined || asked.udpSize <= PLAIN_UDP_LIMIT) return Math.min(PLAIN_UDP_LIMIT, cap);
  return Math.min(asked.udpSize, cap);
}

/**
 * Reads the OPT whose type field is at `at`, its data `packet[dataAt, dataEnd)`; undefined when an option runs past the
 * end. `options` is a view of the packet.
 */
export function readEdns(packet: Uint8Array, at: number): Edns | undefined {
  const length = u16(packet, at + 8);
  const options = length === 0 ? NO_OPTIONS : packet.subarray(at + 10, at + 10 + length);
  if (length !== 0 && !optionsAreWhole(options)) return undefined;
  return {
    udpSize: u16(packet, at + 2),
    extendedRcode: packet[at + 4] ?? 0,
    version: packet[at + 5] ?? 0,
    flags: u16(packet, at + 6),
    options,
  };
}

function optionsAreWhole(options: Uint8Array): boolean {
  let at = 0;
  while (at + 4 <= options.length) at += 4 + u16(options, at + 2);
  return at === options.length;
}

/** The data of the first option with this code, as a view. */
export function optionData(options: Uint8Array, code: number): Uint8Array | undefined {
  for (let at = 0; at + 4 <= options.length; at += 4 + u16(options, at + 2)) {
    if (u16(options, at) === code) return options.subarray(at + 4, at + 4 + u16(options, at + 2));
  }
  return undefined;
}

/** Options of an OPT as bytes: code, length, data of each. */
export function optionBytes(
  options: readonly { readonly code: number; readonly data: Uint8Array }[],
): Uint8Array {
  return Buffer.concat(
    options.flatMap(({ code, data }) => [
      Buffer.from([code >> 8, code, data.length >> 8, data.length]),
      data,
    ]),
  );
}

/** Writes an OPT without options at `at`; `OPT_LENGTH` bytes must be free there. Returns the end. */
export function writeBareOpt(into: Uint8Array, at: number, opt: Omit<Edns, 'options'>): number {
  into[at] = 0;
  into[at + 1] = 0;
  into[at + 2] = TYPE.OPT;
  into[at + 3] = opt.udpSize >> 8;
  into[at + 4] = opt.udpSize;
  into[at + 5] = opt.extendedRcode;
  into[at + 6] = opt.version;
  into[at + 7] = opt.flags >> 8;
  into[at + 8] = opt.flags;
  into[at + 9] = 0;
  into[at + 10] = 0;
  return at + OPT_LENGTH;
}

/** Writes an OPT with its options; returns the end. */
export function writeOpt(into: Uint8Array, at: number, opt: Edns): number {
  const end = writeBareOpt(into, at, opt);
  into[end - 2] = opt.options.length >> 8;
  into[end - 1] = opt.options.length;
  into.set(opt.options, end);
  return end + opt.options.length;
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
