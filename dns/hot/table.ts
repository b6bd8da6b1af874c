import type { Guard } from '../guard.ts';
import type { Chance } from '../lookup.ts';
import { udpLimit } from '../wire/edns.ts';
import { fillAnswer, type PrebuiltAnswer } from '../wire/prebuilt.ts';
import { fillTruncated, type Target } from '../wire/reply.ts';
import { FlatAnswers } from './flat.ts';
import type { HotQuestion } from './question.ts';

/** Answers to one question, ready but for what differs per query. Plain data. */
export type HotAnswer = {
  /** `HotQuestion.hash` of the question. */
  readonly hash: number;
  readonly rcode: number;
  readonly first: PrebuiltAnswer;
  /** The same answer in other orders, each as likely as the first. Absent: there are none. */
  readonly others?: readonly PrebuiltAnswer[];
};

export type HotTableOptions = {
  /** As in ServerOptions. */
  readonly udpPayload: number;
  /** Answers kept; the oldest gives way. */
  readonly most: number;
  readonly chance: Chance;
  readonly guard: Guard;
};

/** Where a question came from. */
export type From = {
  /** 4 or 16 bytes; asked for only when it must be known exactly. */
  address(): Uint8Array;
  /** See networkOf. */
  readonly network: number;
  /** Of the query, in bytes. */
  readonly length: number;
};

/** A UDP reply without work: found by the bytes of its question, copied, patched. */
export class HotTable {
  readonly #answers = new Map<number, HotAnswer>();
  readonly #flat: FlatAnswers;
  readonly #options: HotTableOptions;
  #limited = 0;
  readonly #target: { -readonly [K in keyof Target]: Target[K] };
  /** Response code of the last reply. */
  rcode = 0;

  constructor(options: HotTableOptions) {
    this.#options = options;
    this.#flat = new FlatAnswers(options.most);
    this.#target = { into: new Uint8Array(0), at: 0, limit: 0, udpSize: options.udpPayload, turn: 0 };
  }

  /** Writes the reply to `into[at, …)`, where `udpPayload` bytes must be free, and gives its length; 0: there is none. */
  reply(question: HotQuestion, place: { into: Uint8Array; at: number; from: From }): number {
    const flat = this.#flat.find(question);
    const answer = flat < 0 ? this.#find(question) : undefined;
    if (flat < 0 && answer === undefined) return 0;
    const { guard } = this.#options;
    const { from } = place;
    let proven = false;
    if (question.cookie !== undefined) {
      proven = guard.readCookie(question.cookie, from.address()) === 'proven';
      question.replyOptions = guard.cookieOption;
    }
    this.#target.into = place.into;
    this.#target.at = place.at;
    const length = answer === undefined ? this.#copy(flat, question) : this.#fill(answer, question);
    if (proven || guard.allows(from.network, from.length, length)) return length;
    this.#limited += 1;
    return fillTruncated(question, this.#target);
  }

  #copy(flat: number, question: HotQuestion): number {
    this.rcode = this.#flat.codeAt(flat);
    return this.#flat.fill(flat, question, this.#target);
  }

  #find(question: HotQuestion): HotAnswer | undefined {
    const answer = this.#answers.get(question.hash);
    if (answer === undefined) return undefined;
    const { bytes, questionEnd } = answer.first;
    return question.isAt(bytes, 0, questionEnd) ? answer : undefined;
  }

  #fill(answer: HotAnswer, question: HotQuestion): number {
    const target = this.#target;
    const variant = answer.others === undefined ? answer.first : this.#anyOf(answer.first, answer.others);
    this.rcode = answer.rcode;
    target.limit = udpLimit(question.edns, this.#options.udpPayload);
    target.turn = variant.stride === 0 ? 0 : this.#below(variant.layout.counts[0]);
    return fillAnswer(variant, question, target);
  }

  /** How many replies were cut to the question since the last call. */
  takeLimited(): number {
    const count = this.#limited;
    this.#limited = 0;
    return count;
  }

  /** Gives the hash of one that had to go, if any. */
  put(answer: HotAnswer): number | undefined {
    this.#answers.set(answer.hash, answer);
    if (answer.others === undefined) this.#flat.put(answer.hash, answer.first);
    else this.#flat.delete(answer.hash);
    if (this.#answers.size <= this.#options.most) return undefined;
    const oldest = this.#answers.keys().next().value!;
    this.delete(oldest);
    return oldest;
  }

  delete(hash: number): void {
    this.#answers.delete(hash);
    this.#flat.delete(hash);
  }

  /** The oldest first. */
  all(): Iterable<HotAnswer> {
    return this.#answers.values();
  }

  #anyOf(first: PrebuiltAnswer, others: readonly PrebuiltAnswer[]): PrebuiltAnswer {
    return others[this.#below(others.length + 1) - 1] ?? first;
  }

  #below(count: number): number {
    return count < 2 ? 0 : Math.floor(this.#options.chance() * count);
  }
}
