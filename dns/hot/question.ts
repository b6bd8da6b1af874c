import { OPTION_COOKIE } from '../wire/edns.ts';
import { MAX_LABEL, MAX_NAME } from '../wire/name-text.ts';
import type { Asked } from '../wire/question.ts';
import { type Edns, HEADER_LENGTH, TYPE } from '../wire/types.ts';

type Changing<T> = { -readonly [K in keyof T]: T[K] };

const optLength = 11;
const typeAndClass = 4;
const hashStart = 0x811c9dc5 | 0;
const hashPrime = 0x01000193;

/**
 * One question at a time, read without making anything. It knows only what nearly every query is: one question, perhaps
 * an OPT of version 0 with a cookie or without, nothing else.
 */
export class HotQuestion implements Asked {
  packet: Uint8Array = new Uint8Array(0);
  id = 0;
  flags = 0;
  questionEnd = 0;
  edns: Edns | undefined;
  /** The cookie the client sent. */
  cookie: Uint8Array | undefined;
  replyOptions: Uint8Array | undefined;
  /** Of name, type and class, whatever the letter case; 30 bits. */
  hash = 0;
  /** Of the last one that `isAt` found: its name has no letter in upper case. */
  isLowerCase = false;
  readonly #opt: Changing<Edns> = {
    udpSize: 0,
    extendedRcode: 0,
    version: 0,
    flags: 0,
    options: new Uint8Array(0),
  };

  /** Whether `packet[0, length)` is such a query. The fields hold until the next call. */
  read(packet: Uint8Array, length: number): boolean {
    // QR and the opcode are 0; QDCOUNT is 1, ANCOUNT and NSCOUNT are 0, ARCOUNT is 0 or 1
    if (length < HEADER_LENGTH + 5 || (packet[2]! & 0xf8) !== 0) return false;
    if ((packet[4]! | (packet[5]! ^ 1) | packet[6]! | packet[7]! | packet[8]! | packet[9]!) !== 0)
      return false;
    if (packet[10] !== 0 || packet[11]! > 1) return false;
    this.questionEnd = this.#hashQuestion(packet, length);
    if (this.questionEnd < 0 || !this.#readOpt(packet, length)) return false;
    this.packet = packet;
    this.id = (packet[0]! << 8) | packet[1]!;
    this.flags = (packet[2]! << 8) | packet[3]!;
    return true;
  }

  /**
   * Whether a message that begins at `start` asks the same; its name is in lower case, its question ends `questionEnd` bytes on. If so,
   * `isLowerCase` says whether they are the same bytes.
   */
  isAt(bytes: Uint8Array, start: number, questionEnd: number): boolean {
    if (questionEnd !== this.questionEnd) return false;
    const { packet } = this;
    const nameEnd = questionEnd - typeAndClass;
    this.isLowerCase = true;
    for (let at = HEADER_LENGTH; at < questionEnd; at++) {
      const asked = packet[at]!;
      const there = bytes[start + at]!;
      if (asked === there) continue;
      if (at >= nameEnd || lowerCase(asked) !== there) return false;
      this.isLowerCase = false;
    }
    return true;
  }

  /** Gives the end of the question, or -1. */
  #hashQuestion(packet: Uint8Array, length: number): number {
    let hash = hashStart;
    let at = HEADER_LENGTH;
    for (let labelEnd = at; ; at++) {
      if (at + 5 > length) return -1;
      const byte = packet[at]!;
      if (at === labelEnd) {
        if (byte === 0) break;
        if (byte > MAX_LABEL) return -1;
        labelEnd = at + byte + 1;
      }
      hash = Math.imul(hash ^ lowerCase(byte), hashPrime);
    }
    if (at + 1 - HEADER_LENGTH > MAX_NAME) return -1;
    for (let last = at + 5; at < last; at++) hash = Math.imul(hash ^ packet[at]!, hashPrime);
    this.hash = hash >>> 2;
    return at;
  }

  #readOpt(packet: Uint8Array, length: number): boolean {
    const at = this.questionEnd;
    this.edns = undefined;
    this.cookie = undefined;
    this.replyOptions = undefined;
    if (packet[11] === 0) return at === length;
    if (at + optLength > length || packet[at] !== 0) return false;
    if (packet[at + 1] !== 0 || packet[at + 2] !== TYPE.OPT) return false;
    // version 0; the length of the options
    if ((packet[at + 6]! | packet[at + 9]!) !== 0 || at + optLength + packet[at + 10]! !== length)
      return false;
    if (packet[at + 10] !== 0 && !this.#readCookie(packet, at + optLength)) return false;
    this.#opt.udpSize = (packet[at + 3]! << 8) | packet[at + 4]!;
    this.#opt.extendedRcode = packet[at + 5]!;
    this.#opt.flags = (packet[at + 7]! << 8) | packet[at + 8]!;
    this.edns = this.#opt;
    return true;
  }

  /** Whether the options, which begin at `at` and end the packet, are one cookie: the client's own, or with one of ours. */
  #readCookie(packet: Uint8Array, at: number): boolean {
    const length = packet[at + 3]!;
    if (packet[at - 1] !== length + 4 || (length !== 8 && length !== 24)) return false;
    if (packet[at] !== 0 || packet[at + 1] !== OPTION_COOKIE || packet[at + 2] !== 0) return false;
    this.cookie = packet.subarray(at + 4, at + 4 + length);
    return true;
  }
}

/** A length byte is at most 63, so none is taken for a letter. */
function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
