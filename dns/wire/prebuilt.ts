import { UnencodableError } from './errors.ts';
import type { Layout, Places } from './layout.ts';
import { layOut } from './layout.ts';
import type { Asked } from './question.ts';
import type { Target } from './reply.ts';
import { optLength, repeatAsked, writeCounts, writeHeader, writeReplyOpt } from './reply.ts';
import { cutToFit } from './truncate.ts';
import type { Message } from './types.ts';
import { FLAG, MAX_MESSAGE } from './types.ts';

/**
 * A reply encoded once for all queries with the same question; id, flags, letter case of the question and OPT differ per
 * query and are written into a copy. Plain data, so that it can go to another thread.
 */
export type PrebuiltAnswer = {
  /** All of it, for a limit it fits in. Its id is 0; of its flags QR, AA, RA, TC and the lower four bits of the code are right. */
  readonly bytes: Buffer;
  readonly questionEnd: number;
  /**
   * The length of one answer record when the answers may begin with any of them: each is owned by the question's name,
   * all are equally long and hold no names. 0 otherwise.
   */
  readonly stride: number;
  /** For a limit it does not fit in. */
  readonly layout: Places;
};

/**
 * Encodes a reply for later. `message.flags` gives AA, RA and the response code (to 15); id, opcode, RD, CD and OPT come
 * with each query. Throws UnencodableError for values the wire cannot carry.
 */
export function prebuild(message: Message): PrebuiltAnswer {
  const layout = layOut(message, MAX_MESSAGE);
  const whole = cutToFit(layout, MAX_MESSAGE);
  // not a part of a pool: another thread would get the whole pool
  const bytes = Buffer.alloc(whole.end);
  bytes.set(layout.to.bytes.subarray(0, whole.end));
  bytes.writeUInt16BE(FLAG.QR | message.flags | (whole.truncated ? FLAG.TC : 0), 2);
  writeCounts(bytes, 0, whole);
  const { to: _, ...places } = layout;
  return { bytes, questionEnd: layout.questionEnd, stride: strideOf(message, layout), layout: places };
}

function strideOf(message: Message, layout: Layout): number {
  const [first] = message.answers;
  const firstEnd = layout.ends[message.answers.length - 1] === undefined ? undefined : layout.ends[0];
  if (first === undefined || firstEnd === undefined) return 0;
  const movable =
    (first.type === 'A' || first.type === 'AAAA') &&
    first.name === message.question?.name &&
    message.answers.every((record) => record.type === first.type && record.name === first.name);
  return movable ? firstEnd - layout.questionEnd : 0;
}

/**
 * Writes the reply to a query and returns its length in bytes: never above `target.limit`, cut as `cutToFit` says. The
 * question must be the one the answer was built for, in any letter case.
 */
export function fillAnswer(answer: PrebuiltAnswer, asked: Asked, target: Target): number {
  const { bytes } = answer;
  if (asked.questionEnd !== answer.questionEnd) {
    throw new UnencodableError('Cannot fill an answer: it was built for another question');
  }
  const room = target.limit - optLength(asked);
  if (bytes.length > room) return fillCut(answer, asked, { target, room });
  const { into, at } = target;
  into.set(bytes, at);
  if (answer.stride > 0 && target.turn > 0) turnAnswers(answer, target, answer.layout.counts[0]);
  repeatAsked(asked, target);
  const end = writeReplyOpt(asked, target, { at: at + bytes.length, extendedRcode: 0 });
  // no reply has 255 additional records
  if (asked.edns !== undefined) into[at + 11] = into[at + 11]! + 1;
  return end - at;
}

function fillCut(
  answer: PrebuiltAnswer,
  asked: Asked,
  { target, room }: { target: Target; room: number },
): number {
  const cut = cutToFit(answer.layout, room);
  answer.bytes.copy(target.into, target.at, 0, cut.end);
  if (answer.stride > 0 && target.turn > 0) turnAnswers(answer, target, cut.answers);
  const flags = answer.bytes.readUInt16BE(2);
  writeHeader(asked, target, { flags, cut });
  return writeReplyOpt(asked, target, { at: target.at + cut.end, extendedRcode: 0 }) - target.at;
}

/** Copies the answers again, beginning with another one. Records of equal length without names can stand anywhere. */
function turnAnswers(answer: PrebuiltAnswer, target: Target, kept: number): void {
  const { bytes, layout, stride } = answer;
  const count = layout.counts[0];
  const first = target.turn % count;
  if (first === 0) return;
  const head = Math.min(kept, count - first);
  const start = answer.questionEnd;
  const middle = start + head * stride;
  bytes.copy(target.into, target.at + start, start + first * stride, start + (first + head) * stride);
  bytes.copy(target.into, target.at + middle, start, start + (kept - head) * stride);
}
