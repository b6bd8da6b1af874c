import { OPTION_COOKIE, optionData, readEdns } from './edns.ts';
import { plainNameEnd, plainNameText } from './name-text.ts';
import { copyName, skipName } from './name-walk.ts';
import type { Edns, Question } from './types.ts';
import { HEADER_LENGTH, opcodeOf, TYPE } from './types.ts';

/** What every reply needs of the packet it answers. Views `packet`: valid as long as its bytes are. */
export type Asked = {
  readonly packet: Uint8Array;
  readonly id: number;
  readonly flags: number;
  /** `packet[12, questionEnd)` is to be echoed; 12 when there is no readable question. */
  readonly questionEnd: number;
  readonly edns: Edns | undefined;
  /** The options of the reply's OPT, if it has one. */
  readonly replyOptions?: Uint8Array | undefined;
};

export type Query = Asked & {
  readonly kind: 'query';
  readonly name: string;
  readonly type: number;
  readonly class: number;
};

/**
 * A packet that gets a reply but no answer: `formerr` malformed · `notimp` an opcode but QUERY · `badvers` an EDNS
 * version but 0 · `cookie` no question but a cookie option (RFC 7873 section 5.4).
 */
export type Rejected = Asked & { readonly kind: 'formerr' | 'notimp' | 'badvers' | 'cookie' };

/** A packet that gets no reply: shorter than a header, or a response itself. */
export type Dropped = { readonly kind: 'drop' };

export type QuestionRead = Query | Rejected | Dropped;

/**
 * Reads what a server needs of a query: header, question, OPT. The record sections are walked, so a malformed packet
 * is told from a good one, but only OPT is read. Never throws, whatever the bytes.
 */
export function readQuestion(packet: Uint8Array): QuestionRead {
  if (packet.length < HEADER_LENGTH || (packet[2] ?? 0) >= 0x80) return { kind: 'drop' };
  const flags = u16(packet, 2);
  const questions = u16(packet, 4);
  const nameEnd = questions === 1 ? plainNameEnd(packet, HEADER_LENGTH) : -1;
  const questionEnd = nameEnd < 0 || nameEnd + 4 > packet.length ? HEADER_LENGTH : nameEnd + 4;
  if (opcodeOf(flags) !== 0) return notImplemented(packet, questionEnd);
  if (questions === 0) return readWithoutQuestion(packet);
  if (questionEnd === HEADER_LENGTH) return rejected('formerr', packet, questionEnd);
  const edns = readSections(packet, questionEnd);
  if (edns === MALFORMED) return rejected('formerr', packet, questionEnd);
  if (edns !== undefined && edns.version !== 0) return rejected('badvers', packet, questionEnd, edns);
  return {
    kind: 'query',
    packet,
    id: u16(packet, 0),
    flags,
    questionEnd,
    edns,
    name: plainNameText(packet, HEADER_LENGTH, nameEnd),
    type: u16(packet, nameEnd),
    class: u16(packet, nameEnd + 2),
  };
}

/** The question of a query as a value, with the bytes to echo (a view). */
export function questionOf(query: Query): Question {
  const raw = query.packet.subarray(HEADER_LENGTH, query.questionEnd);
  return { name: query.name, type: query.type, class: query.class, raw };
}

function notImplemented(packet: Uint8Array, questionEnd: number): Rejected {
  const edns = questionEnd === HEADER_LENGTH ? MALFORMED : readSections(packet, questionEnd);
  return rejected('notimp', packet, questionEnd, edns === MALFORMED ? undefined : edns);
}

function readWithoutQuestion(packet: Uint8Array): Rejected {
  const edns = readSections(packet, HEADER_LENGTH);
  if (edns === MALFORMED || edns === undefined) return rejected('formerr', packet, HEADER_LENGTH);
  if (edns.version !== 0) return rejected('badvers', packet, HEADER_LENGTH, edns);
  const kind = optionData(edns.options, OPTION_COOKIE) === undefined ? 'formerr' : 'cookie';
  return rejected(kind, packet, HEADER_LENGTH, edns);
}

const MALFORMED = 'malformed';

/** The OPT of a query whose records begin at `at`. */
function readSections(packet: Uint8Array, at: number): Edns | undefined | typeof MALFORMED {
  const before = u16(packet, 6) + u16(packet, 8);
  const total = before + u16(packet, 10);
  let edns: Edns | undefined;
  for (let index = 0; index < total; index++) {
    const owner = at;
    at = copyName(packet, at) < 0 ? -1 : skipName(packet, at);
    if (at < 0 || at + 10 > packet.length) return MALFORMED;
    const end = at + 10 + u16(packet, at + 8);
    if (end > packet.length) return MALFORMED;
    if (u16(packet, at) === TYPE.OPT) {
      // RFC 6891 section 6.1.1: at most one, in the additional section; 6.1.2: owned by the root
      if (edns !== undefined || index < before || packet[owner] !== 0) return MALFORMED;
      edns = readEdns(packet, at);
      if (edns === undefined) return MALFORMED;
    }
    at = end;
  }
  return at === packet.length ? edns : MALFORMED;
}

function rejected(kind: Rejected['kind'], packet: Uint8Array, questionEnd: number, edns?: Edns): Rejected {
  return { kind, packet, id: u16(packet, 0), flags: u16(packet, 2), questionEnd, edns };
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
