import { readEdns } from './edns.ts';
import { readData } from './rdata-read.ts';
import { Reader } from './reader.ts';
import type { Edns, Message, Question, ResourceRecord } from './types.ts';
import { HEADER_LENGTH, TYPE } from './types.ts';

export type MessageRead =
  | { readonly kind: 'message'; readonly message: Message }
  /** The header can be read, the rest cannot. */
  | { readonly kind: 'formerr'; readonly id: number; readonly flags: number }
  /** Shorter than a header. */
  | { readonly kind: 'drop' };

/**
 * Decodes a whole query or response. At most one question is taken; a response may have none. Never throws, whatever the
 * bytes. Byte fields (`raw`, `options`, TXT strings, opaque data) are views of the packet where they can be: copy what
 * outlives it.
 */
export function decodeMessage(packet: Uint8Array): MessageRead {
  if (packet.length < HEADER_LENGTH) return { kind: 'drop' };
  const from = new Reader(packet, 0);
  const [id, flags, questions] = [from.u16(), from.u16(), from.u16()];
  const counts = [from.u16(), from.u16(), from.u16()] as const;
  const message = questions > 1 ? undefined : readBody(from, { id, flags, questions, counts });
  return message ? { kind: 'message', message } : { kind: 'formerr', id, flags };
}

type Head = {
  readonly id: number;
  readonly flags: number;
  readonly questions: number;
  readonly counts: readonly [number, number, number];
};

function readBody(from: Reader, head: Head): Message | undefined {
  const { id, flags, counts } = head;
  const question = head.questions === 1 ? readQuestionAt(from) : undefined;
  const answers = readRecords(from, counts[0]);
  const authorities = readRecords(from, counts[1]);
  const last = readAdditionals(from, counts[2]);
  if (from.failed || from.at !== from.packet.length) return undefined;
  return { id, flags, question, answers, authorities, additionals: last.records, edns: last.edns };
}

function readQuestionAt(from: Reader): Question {
  const start = from.at;
  const [name, type, klass] = [from.name(), from.u16(), from.u16()];
  return { name, type, class: klass, raw: from.packet.subarray(start, from.at) };
}

function readRecords(from: Reader, count: number): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (let left = count; left > 0 && !from.failed; left--) {
    const record = readRecord(from);
    if (record === undefined || 'udpSize' in record) from.failed = true;
    else records.push(record);
  }
  return records;
}

/** RFC 6891 section 6.1.1: one OPT at most, and only here. */
function readAdditionals(from: Reader, count: number): { records: ResourceRecord[]; edns: Edns | undefined } {
  const records: ResourceRecord[] = [];
  let edns: Edns | undefined;
  for (let left = count; left > 0 && !from.failed; left--) {
    const record = readRecord(from);
    if (record === undefined) from.failed = true;
    else if (!('udpSize' in record)) records.push(record);
    else if (edns === undefined) edns = record;
    else from.failed = true;
  }
  return { records, edns };
}

function readRecord(from: Reader): ResourceRecord | Edns | undefined {
  const start = from.at;
  const [name, type, klass, ttl] = [from.name(), from.u16(), from.u16(), from.u32()];
  const dataEnd = from.u16() + from.at;
  if (from.failed || dataEnd > from.packet.length) return undefined;
  if (type !== TYPE.OPT) return readData(from, { name, type, class: klass, ttl: boundedTtl(ttl), dataEnd });
  from.at = dataEnd;
  return from.packet[start] === 0 ? readEdns(from.packet, start + 1) : undefined;
}

/** RFC 2181 section 8: a TTL with its highest bit set counts as zero. */
function boundedTtl(ttl: number): number {
  return ttl > 0x7fffffff ? 0 : ttl;
}

/** Whether a reply repeats the question that was sent, byte for byte and so in the same letter case. */
export function echoesQuestion(sent: Question, reply: Message): boolean {
  const [ours, theirs] = [sent.raw, reply.question?.raw];
  return ours !== undefined && theirs !== undefined && Buffer.compare(ours, theirs) === 0;
}
