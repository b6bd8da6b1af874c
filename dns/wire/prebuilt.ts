import { UnencodableError } from './errors.ts';
import type { Layout, Places } from './layout.ts';
import { layOut } from './layout.ts';
import type { Asked } from './question.ts';
import type { Target } from './reply.ts';
import { optLength, writeHeader, writeReplyOpt } from './reply.ts';
import type { Cut } from './truncate.ts';
import { cutToFit } from './truncate.ts';
import type { Message } from './types.ts';
import { MAX_MESSAGE } from './types.ts';

/**
 * A reply encoded once for all queries with the same question; id, flags, letter case of the question and OPT differ per
 * query and are written into a copy. Plain data, so that it can go to another thread.
 */
export type PrebuiltAnswer = {
  /** AA, RA and the lower four bits of the response code. */
  readonly flags: number;
  readonly bytes: Buffer;
  readonly layout: Places;
  /** All of it, for a limit it fits in. */
  readonly whole: Cut;
  /**
   * The length of one answer record when the answers may begin with any of them: each is owned by the question's name,
   * all are equally long and hold no names. 0 otherwise.
   */
  readonly stride: number;
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
  const { to: _, ...places } = layout;
  return { flags: message.flags, bytes, layout: places, whole, stride: strideOf(message, layout) };
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
  const { bytes, layout } = answer;
  if (asked.questionEnd !== layout.questionEnd) {
    throw new UnencodableError('Cannot fill an answer: it was built for another question');
  }
  const room = target.limit - optLength(asked);
  const fits = bytes.length <= room;
  const cut = fits ? answer.whole : cutToFit(layout, room);
  if (fits) target.into.set(bytes, target.at);
  else bytes.copy(target.into, target.at, 0, cut.end);
  if (answer.stride > 0 && target.turn > 0) turnAnswers(answer, target, cut);
  writeHeader(asked, target, { flags: answer.flags, cut });
  const end = writeReplyOpt(asked, target, { at: target.at + cut.end, extendedRcode: 0 });
  return end - target.at;
}

/** Copies the answers again, beginning with another one. Records of equal length without names can stand anywhere. */
function turnAnswers(answer: PrebuiltAnswer, target: Target, cut: Cut): void {
  const { bytes, layout, stride } = answer;
  const count = layout.counts[0];
  const first = target.turn % count;
  if (first === 0) return;
  const head = Math.min(cut.answers, count - first);
  const start = layout.questionEnd;
  const middle = start + head * stride;
  bytes.copy(target.into, target.at + start, start + first * stride, start + (first + head) * stride);
  bytes.copy(target.into, target.at + middle, start, start + (cut.answers - head) * stride);
}
