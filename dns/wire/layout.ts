import { writeRecord } from './rdata-write.ts';
import type { Message, Question, ResourceRecord } from './types.ts';
import { HEADER_LENGTH, typeOf } from './types.ts';
import { Writer } from './writer.ts';

/** Where a message without its OPT record may be cut. Plain data. */
export type Places = {
  readonly questionEnd: number;
  /** False when the limit left no place for the question; then no record is written either. */
  readonly questionFits: boolean;
  /** How many records each section was to have; fewer are written when the limit was reached. */
  readonly counts: readonly [answers: number, authorities: number, additionals: number];
  /** For each written record, in order: where it ends. */
  readonly ends: readonly number[];
  /** For each written record and the first left out: whether it has another name or type than the one before it, or begins a section. */
  readonly opens: readonly boolean[];
};

/** A message on the wire without its OPT record. */
export type Layout = Places & { readonly to: Writer };

/** Writes header, question and records, in order, as far as `limit` bytes allow. */
export function layOut(message: Message, limit: number): Layout {
  const to = new Writer(limit);
  const question = message.question;
  for (const word of [message.id, message.flags, question === undefined ? 0 : 1, 0, 0, 0]) to.u16(word);
  if (question !== undefined) writeQuestion(to, question);
  const questionFits = !to.overflowed;
  if (!questionFits) {
    to.rewind(HEADER_LENGTH);
    to.patchU16(4, 0);
  }
  const questionEnd = to.at;
  const sections = questionFits ? [message.answers, message.authorities, message.additionals] : [];
  const [ends, opens] = [[] as number[], [] as boolean[]];
  for (const section of sections) {
    if (!writeSection(to, section, { ends, opens })) break;
  }
  const counts = [message.answers.length, message.authorities.length, message.additionals.length] as const;
  return { to, questionEnd, questionFits, counts, ends, opens };
}

function writeQuestion(to: Writer, question: Question): void {
  if (question.raw === undefined) {
    to.name(question.name);
    to.u16(question.type);
    to.u16(question.class);
    return;
  }
  to.raw(question.raw);
  to.know(question.name, HEADER_LENGTH);
}

type Marks = { readonly ends: number[]; readonly opens: boolean[] };

/** Returns false when a record did not fit; it and what follows is left out. */
function writeSection(to: Writer, records: readonly ResourceRecord[], marks: Marks): boolean {
  let previous: ResourceRecord | undefined;
  for (const record of records) {
    const start = to.at;
    marks.opens.push(previous === undefined || !sameSet(previous, record));
    writeRecord(to, record);
    if (to.overflowed) {
      to.rewind(start);
      return false;
    }
    marks.ends.push(to.at);
    previous = record;
  }
  return true;
}

function sameSet(a: ResourceRecord, b: ResourceRecord): boolean {
  return a.name === b.name && typeOf(a) === typeOf(b) && a.class === b.class;
}
