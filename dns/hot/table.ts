import type { Guard } from '../guard.ts';
import type { Chance } from '../lookup.ts';
import { udpLimit } from '../wire/edns.ts';
import { fillAnswer, type PrebuiltAnswer } from '../wire/prebuilt.ts';
import { fillTruncated, type Target } from '../wire/reply.ts';
import type { HotQuestion } from './question.ts';

/** Answers to one question, ready but for what differs per query. Plain data. */
export type HotAnswer = {
  /** `HotQuestion.hash` of the question. */
  readonly hash: number;
  /** As on the wire, the name in lower case; a view of the first variant. */
  readonly question: Uint8Array;
  readonly rcode: number;
  /** The same answer in several orders, each as likely as the others. */
  readonly variants: readonly PrebuiltAnswer[];
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
  readonly #options: HotTableOptions;
  #limited = 0;
  readonly #target: { -readonly [K in keyof Target]: Target[K] };

  constructor(options: HotTableOptions) {
    this.#options = options;
    this.#target = { into: new Uint8Array(0), at: 0, limit: 0, udpSize: options.udpPayload, turn: 0 };
  }

  find(question: HotQuestion): HotAnswer | undefined {
    const answer = this.#answers.get(question.hash);
    return answer !== undefined && question.equals(answer.question) ? answer : undefined;
  }

  /** Writes the reply to `into[at, …)`, where `udpPayload` bytes must be free, and gives its length. */
  write(
    answer: HotAnswer,
    question: HotQuestion,
    reply: { into: Uint8Array; at: number; from: From },
  ): number {
    const { guard } = this.#options;
    const { from } = reply;
    let proven = false;
    if (question.cookie !== undefined) {
      proven = guard.readCookie(question.cookie, from.address()) === 'proven';
      question.replyOptions = guard.cookieOption;
    }
    const length = this.#fill(answer, question, reply);
    if (proven || guard.allows(from.network, from.length, length)) return length;
    this.#limited += 1;
    return fillTruncated(question, this.#target);
  }

  #fill(answer: HotAnswer, question: HotQuestion, reply: { into: Uint8Array; at: number }): number {
    const target = this.#target;
    const { variants } = answer;
    const variant = variants.length === 1 ? variants[0]! : variants[this.#below(variants.length)]!;
    target.into = reply.into;
    target.at = reply.at;
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
    if (this.#answers.size <= this.#options.most) return undefined;
    const oldest = this.#answers.keys().next().value!;
    this.#answers.delete(oldest);
    return oldest;
  }

  delete(hash: number): void {
    this.#answers.delete(hash);
  }

  /** The oldest first. */
  all(): Iterable<HotAnswer> {
    return this.#answers.values();
  }

  #below(count: number): number {
    return count < 2 ? 0 : Math.floor(this.#options.chance() * count);
  }
}
