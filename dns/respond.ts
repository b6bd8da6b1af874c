import type { Counters } from './counters.ts';
import { isPadded, padded } from './edns/padding.ts';
import { Guard, type GuardOptions } from './guard.ts';
import { type Client, type MaybeLater, type Next, type Reply, status } from './handler.ts';
import type { HotAnswers } from './hot/answers.ts';
import { type QueryLog, Sampler } from './query-log.ts';
import { networkOf } from './rate-limit.ts';
import { addressBytes } from './wire/address.ts';
import {
  DNSSEC_OK,
  edns,
  OPTION_COOKIE,
  OPTION_EXTENDED_ERROR,
  OPTION_NSID,
  optionBytes,
  optionData,
  udpLimit,
} from './wire/edns.ts';
import { encodeMessage } from './wire/encode.ts';
import { type Asked, type Query, questionOf, type Rejected, readQuestion } from './wire/question.ts';
import { fillRejection, fillTruncated } from './wire/reply.ts';
import { FLAG, MAX_MESSAGE, RCODE } from './wire/types.ts';

/** The reply to a packet, or undefined for none; never throws or rejects. The packet must keep its bytes until then. */
export type Respond = (packet: Uint8Array, client: Client) => MaybeLater<Uint8Array | undefined>;

export type RespondParts = {
  readonly answer: Next;
  readonly counters: Counters;
  /** The largest UDP reply in bytes, and what our OPT says we take. */
  readonly udpPayload: number;
  /** RA: we ask others for a client. */
  readonly recursion: boolean;
  /** NSID; absent: not told. */
  readonly identity?: string | undefined;
  readonly guard: GuardOptions;
  readonly hot: HotAnswers;
  readonly log: QueryLog;
};

/** From packet to packet: what is malformed is rejected here, what is well-formed goes through the chain. */
export function responder(parts: RespondParts): Respond {
  const responder = new Responder(parts);
  return (packet, client) => responder.respond(packet, client);
}

/** A query, with what its reply's OPT will say whatever is answered. */
type Met = {
  readonly query: Query;
  readonly client: Client;
  readonly options: Options;
  readonly proven: boolean;
};
type Options = readonly { readonly code: number; readonly data: Uint8Array }[];

class Responder {
  readonly #parts: RespondParts;
  readonly #guard: Guard;
  readonly #sampler = new Sampler();

  constructor(parts: RespondParts) {
    this.#parts = parts;
    this.#guard = new Guard(parts.guard);
  }

  respond(packet: Uint8Array, client: Client): MaybeLater<Uint8Array | undefined> {
    const read = readQuestion(packet);
    if (read.kind === 'query') return this.#meet(read, client);
    this.#parts.counters.rejected({ kind: read.kind });
    return read.kind === 'drop' ? undefined : this.#reject(read, client);
  }

  #meet(query: Query, client: Client): MaybeLater<Uint8Array> {
    if (query.edns === undefined) return this.#answer({ query, client, options: [], proven: false });
    const { kind, options } = this.#cookieOf(query, client);
    if (kind === 'bad') return this.#reject({ ...query, kind: 'formerr' }, client);
    const { identity } = this.#parts;
    const told = identity !== undefined && optionData(query.edns.options, OPTION_NSID) !== undefined;
    const nsid = told ? [{ code: OPTION_NSID, data: Buffer.from(identity) }] : [];
    return this.#answer({ query, client, options: [...options, ...nsid], proven: kind === 'proven' });
  }

  #cookieOf({ edns: asked }: Asked, { address }: Client) {
    const cookie = asked && optionData(asked.options, OPTION_COOKIE);
    if (cookie === undefined) return { kind: 'none', options: [] } as const;
    this.#guard.now = Date.now();
    const kind = this.#guard.readCookie(cookie, addressBytes(address));
    const data = this.#guard.cookieOption.slice(4);
    return { kind, options: [{ code: OPTION_COOKIE, data }] } as const;
  }

  #answer(met: Met): MaybeLater<Uint8Array> {
    const { answer, hot } = this.#parts;
    const { query, client } = met;
    const question = {
      name: query.name,
      type: query.type,
      class: query.class,
      recursion: (query.flags & FLAG.RD) !== 0,
      dnssec: ((query.edns?.flags ?? 0) & DNSSEC_OK) !== 0,
      client,
    };
    const sorry = () => this.#encode(met, this.#failed());
    try {
      const reply = answer(question);
      if (reply instanceof Promise) return reply.then((reply) => this.#encode(met, reply)).catch(sorry);
      if (client.transport === 'udp') hot.learn(query, reply);
      return this.#encode(met, reply);
    } catch {
      return sorry();
    }
  }

  #failed(): Reply {
    this.#parts.counters.failed();
    return status(RCODE.SERVFAIL);
  }

  #note({ query: { name, type }, client }: Met, { rcode }: Reply): void {
    const now = Date.now();
    const standsFor = this.#sampler.due(now);
    if (standsFor > 0) this.#parts.log.note({ client, name, type, rcode }, standsFor, now);
  }

  #encode(met: Met, reply: Reply): Uint8Array {
    const { udpPayload, recursion } = this.#parts;
    const { query, client } = met;
    this.#note(met, reply);
    const limit = client.transport === 'udp' ? udpLimit(query.edns, udpPayload) : MAX_MESSAGE;
    const { answers, authorities, additionals } = reply;
    const flags =
      FLAG.QR |
      (reply.authoritative ? FLAG.AA : 0) |
      (query.flags & (FLAG.RD | FLAG.CD)) |
      (recursion ? FLAG.RA : 0) |
      reply.rcode;
    const message = { id: query.id, flags, question: questionOf(query), answers, authorities, additionals };
    const said = this.#ednsOf(met, reply);
    const bytes = encodeMessage({ ...message, edns: said }, limit);
    if (said === undefined || !isPadded(query.edns, client)) return this.#limited(met, bytes);
    return encodeMessage({ ...message, edns: padded(said, bytes.length) }, limit);
  }

  #ednsOf({ query, options }: Met, { extended }: Reply) {
    if (query.edns === undefined) return undefined;
    const why = extended === undefined ? [] : [{ code: OPTION_EXTENDED_ERROR, data: extendedData(extended) }];
    const all = options.length + why.length === 0 ? {} : { options: optionBytes([...options, ...why]) };
    return edns(this.#parts.udpPayload, { flags: query.edns.flags & DNSSEC_OK, ...all });
  }

  #limited({ query, client, proven }: Met, bytes: Uint8Array): Uint8Array {
    const { length } = query.packet;
    if (client.transport !== 'udp' || proven || bytes.length <= length) return bytes;
    this.#guard.now = Date.now();
    if (this.#guard.allows(networkOf(client.address), length, bytes.length)) return bytes;
    this.#parts.counters.limited();
    const into = new Uint8Array(512);
    return into.subarray(0, fillTruncated(query, { ...this.#target, into }));
  }

  #reject(rejected: Rejected, client: Client): Uint8Array {
    const { kind, options } =
      rejected.kind === 'cookie' ? this.#cookieOf(rejected, client) : { kind: 'none', options: [] };
    const asked = { ...rejected, replyOptions: options.length > 0 ? optionBytes(options) : undefined };
    const into = new Uint8Array(512);
    const said = kind === 'bad' ? ({ ...rejected, kind: 'formerr' } as const) : asked;
    return into.subarray(0, fillRejection(said, { ...this.#target, into }));
  }

  get #target() {
    return { at: 0, limit: 512, udpSize: this.#parts.udpPayload, turn: 0 };
  }
}

function extendedData({ code, text }: NonNullable<Reply['extended']>): Uint8Array {
  return Buffer.concat([Buffer.from([code >> 8, code]), Buffer.from(text)]);
}
