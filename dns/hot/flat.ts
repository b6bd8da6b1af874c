import type { PrebuiltAnswer } from '../wire/prebuilt.ts';
import { repeatHeader, repeatQuestion, type Target, writeReplyOpt } from '../wire/reply.ts';
import { RCODE } from '../wire/types.ts';
import type { HotQuestion } from './question.ts';

const ways = 2;
const placeLength = 128;
const placeWords = placeLength / 4;
/** Of a place: the hash and one (0: it is free), then the length of the message and where its question ends. */
const headLength = 8;
const longest = placeLength - headLength;

/**
 * Short answers in one piece of memory. As objects, each would lie in half a dozen places, and to fetch those from memory is most
 * of what an answer costs. Where several want the same place, the newest have it: who does not find one here looks elsewhere.
 */
export class FlatAnswers {
  readonly #sets: number;
  #bytes = Buffer.alloc(0);
  #words = new Int32Array(0);

  /** For about so many answers. Memory is taken with the first of them, and used as far as there are any. */
  constructor(most: number) {
    this.#sets = 2 ** Math.ceil(Math.log2(Math.max(1, most / ways)));
  }

  /** Takes what is one message whose records need not be turned; an answer of the same hash is gone in any case. */
  put(hash: number, answer: PrebuiltAnswer): void {
    this.delete(hash);
    const { bytes, questionEnd, stride, layout } = answer;
    if (bytes.length > longest || (stride > 0 && layout.counts[0] > 1)) return;
    if (this.#bytes.length === 0) this.#allocate();
    const first = this.#firstOf(hash);
    const free = this.#words[first] === 0 ? first : first + placeWords;
    this.#words[free] = hash + 1;
    this.#words[free + 1] = bytes.length | (questionEnd << 16);
    this.#bytes.set(bytes, free * 4 + headLength);
  }

  delete(hash: number): void {
    const at = this.#placeOf(hash);
    if (at >= 0) this.#words[at] = 0;
  }

  /** Where the answer is, for `codeAt` and `fill`; -1: nowhere. */
  find(question: HotQuestion): number {
    const at = this.#placeOf(question.hash);
    if (at < 0) return -1;
    const questionEnd = this.#words[at + 1]! >> 16;
    return question.isAt(this.#bytes, at * 4 + headLength, questionEnd) ? at : -1;
  }

  /** Its response code. */
  codeAt(at: number): number {
    return this.#bytes[at * 4 + headLength + 3]! & 0xf;
  }

  /** As `fillAnswer`, of the question that was found there. It always fits. */
  fill(at: number, question: HotQuestion, target: Target): number {
    const start = at * 4 + headLength;
    const length = this.#words[at + 1]! & 0xffff;
    this.#bytes.copy(target.into, target.at, start, start + length);
    repeatHeader(question, target);
    if (!question.isLowerCase) repeatQuestion(question, target);
    if (question.edns === undefined) return length;
    target.into[target.at + 11]! += 1;
    const end = writeReplyOpt(question, target, { at: target.at + length, extendedRcode: RCODE.NOERROR });
    return end - target.at;
  }

  #allocate(): void {
    const memory = new ArrayBuffer(this.#sets * ways * placeLength);
    this.#bytes = Buffer.from(memory);
    this.#words = new Int32Array(memory);
  }

  #firstOf(hash: number): number {
    return (hash & (this.#sets - 1)) * ways * placeWords;
  }

  #placeOf(hash: number): number {
    const first = this.#firstOf(hash);
    if (this.#words[first] === hash + 1) return first;
    return this.#words[first + placeWords] === hash + 1 ? first + placeWords : -1;
  }
}
