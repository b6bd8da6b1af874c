import { DNSSEC_OK, OPT_LENGTH, writeBareOpt } from './edns.ts';
import type { Asked, Rejected } from './question.ts';
import type { Cut } from './truncate.ts';
import { FLAG, HEADER_LENGTH, RCODE } from './types.ts';

/** Where and how a reply is written. One value can serve all replies of a socket. */
export type Target = {
  readonly into: Uint8Array;
  /** Where the reply begins. `limit` bytes must be free from there. */
  at: number;
  /** The longest reply in bytes: `udpLimit(...)` over UDP, 65535 over TCP. At least 512. */
  limit: number;
  /** What our OPT says we take over UDP, in bytes. An OPT is sent only when the query had one. */
  udpSize: number;
  /** A whole number from 0: which of several equal answers comes first (modulo their number). */
  turn: number;
};

/** Flags of the query that its reply repeats: opcode, RD and CD. */
const REPEATED = 0x7800 | FLAG.RD | FLAG.CD;

const REJECTION = {
  formerr: RCODE.FORMERR,
  notimp: RCODE.NOTIMP,
  badvers: RCODE.BADVERS,
  cookie: RCODE.NOERROR,
} as const;

/** Writes the reply a rejected packet gets; returns its length. */
export function fillRejection(rejected: Rejected, target: Target): number {
  return fillStatus(rejected, { flags: 0, rcode: REJECTION[rejected.kind] }, target);
}

/** Writes the question back with TC set: whoever asked is to come by TCP. Returns its length. */
export function fillTruncated(asked: Asked, target: Target): number {
  return fillStatus(asked, { flags: FLAG.TC, rcode: RCODE.NOERROR }, target);
}

/**
 * Writes a reply of header, question and OPT only; returns its length. `flags` may give AA and RA. A code over 15 needs
 * an OPT in the query.
 */
export function fillStatus(asked: Asked, status: { flags: number; rcode: number }, target: Target): number {
  const cut = { end: asked.questionEnd, answers: 0, authorities: 0, additionals: 0, truncated: false };
  writeHeader(asked, target, { flags: status.flags | (status.rcode & 0xf), cut });
  const at = target.at + asked.questionEnd;
  return writeReplyOpt(asked, target, { at, extendedRcode: status.rcode >> 4 }) - target.at;
}

/** The bytes the reply's OPT will take. */
export function optLength(asked: Asked): number {
  return asked.edns === undefined ? 0 : OPT_LENGTH + (asked.replyOptions?.length ?? 0);
}

/** Writes the header and the question in the letter case it was asked in. */
export function writeHeader(asked: Asked, target: Target, reply: { flags: number; cut: Cut }): void {
  const { into, at } = target;
  const { cut } = reply;
  put16(into, at + 2, FLAG.QR | reply.flags | (cut.truncated ? FLAG.TC : 0));
  put16(into, at + 4, asked.questionEnd > HEADER_LENGTH ? 1 : 0);
  writeCounts(into, at, cut);
  if (asked.edns !== undefined) put16(into, at + 10, cut.additionals + 1);
  repeatAsked(asked, target);
}

/** Writes how many records each section has, into a header that begins at `at`. */
export function writeCounts(into: Uint8Array, at: number, cut: Cut): void {
  put16(into, at + 6, cut.answers);
  put16(into, at + 8, cut.authorities);
  put16(into, at + 10, cut.additionals);
}

/** Writes what a reply has from its query, into a header that has the rest: id, opcode, RD, CD, and the question as it came. */
export function repeatAsked(asked: Asked, target: Target): void {
  repeatHeader(asked, target);
  repeatQuestion(asked, target);
}

/** The same without the question. */
export function repeatHeader(asked: Asked, { into, at }: Target): void {
  const repeated = asked.flags & REPEATED;
  put16(into, at, asked.id);
  into[at + 2] = into[at + 2]! | (repeated >> 8);
  into[at + 3] = into[at + 3]! | (repeated & 0xff);
}

export function repeatQuestion({ packet, questionEnd }: Asked, { into, at }: Target): void {
  for (let i = HEADER_LENGTH; i < questionEnd; i++) into[at + i] = packet[i]!;
}

/** Writes the OPT a reply needs when its query had one (RFC 6891 section 6.1.1), DO repeated; returns the end. */
export function writeReplyOpt(
  asked: Asked,
  target: Target,
  opt: { at: number; extendedRcode: number },
): number {
  if (asked.edns === undefined) return opt.at;
  const end = writeBareOpt(target.into, opt.at, {
    udpSize: target.udpSize,
    extendedRcode: opt.extendedRcode,
    version: 0,
    flags: asked.edns.flags & DNSSEC_OK,
  });
  const options = asked.replyOptions;
  if (options === undefined) return end;
  put16(target.into, end - 2, options.length);
  target.into.set(options, end);
  return end + options.length;
}

function put16(into: Uint8Array, at: number, value: number): void {
  into[at] = value >> 8;
  into[at + 1] = value;
}
