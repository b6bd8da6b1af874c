import { EXTENDED, type ExtendedError } from './extended.ts';
import { type Name, RCODE, type ResourceRecord } from './wire/types.ts';

/** Who asks. */
export type Client = {
  readonly address: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls' | 'https';
};

/** A well-formed question, on its way through the chain. A handler may hand a changed one to `next`. */
export type DnsQuestion = {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  /** RD: the client wants us to ask others. */
  readonly recursion: boolean;
  /** DO: the client takes DNSSEC records. */
  readonly dnssec: boolean;
  readonly client: Client;
};

/** What is said; the letter case of the question, its OPT and the size limit are the server's business. */
export type Reply = {
  /** One of RCODE, 0 to 15. */
  readonly rcode: number;
  /** AA: from a zone of ours. */
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /**
   * The names in our zones this was read from: until one of them changes, the same question has the same answer, whoever
   * asks. Absent: nothing is promised.
   */
  readonly reads?: readonly Name[];
  /** Why, for a client that can be told. */
  readonly extended?: ExtendedError;
};

export type MaybeLater<T> = T | Promise<T>;
export type Next = (question: DnsQuestion) => MaybeLater<Reply>;

/**
 * A link of the chain: answers by itself, or asks `next` and gives its reply, changed or not. Gives a value when it can,
 * a promise when it must wait. What it throws becomes SERVFAIL.
 */
export interface Handler {
  readonly name: string;
  answer(question: DnsQuestion, next: Next): MaybeLater<Reply>;
}

const nothing: readonly ResourceRecord[] = [];

/** A reply of nothing but a code. */
export function status(rcode: number, parts: Partial<Reply> = {}): Reply {
  return {
    rcode,
    authoritative: false,
    answers: nothing,
    authorities: nothing,
    additionals: nothing,
    ...parts,
  };
}

/** One function for a list of handlers; what none answers is refused. */
export function link(handlers: readonly Handler[]): Next {
  return handlers.reduceRight<Next>(
    (next, handler) => (question) => handler.answer(question, next),
    () => status(RCODE.REFUSED, { extended: { code: EXTENDED.notAuthoritative, text: '' } }),
  );
}

/** `change(value)` now or later, as the value comes. */
export function then<T, R>(value: MaybeLater<T>, change: (value: T) => MaybeLater<R>): MaybeLater<R> {
  return value instanceof Promise ? value.then(change) : change(value);
}
