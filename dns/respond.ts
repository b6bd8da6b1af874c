import type { Counters } from './counters.ts';
import { type Client, type MaybeLater, type Next, type Reply, status } from './handler.ts';
import type { HotAnswers } from './hot/answers.ts';
import { DNSSEC_OK, edns, udpLimit } from './wire/edns.ts';
import { encodeMessage } from './wire/encode.ts';
import { type Query, questionOf, type Rejected, readQuestion } from './wire/question.ts';
import { fillRejection } from './wire/reply.ts';
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
  readonly hot: HotAnswers;
};

/** From packet to packet: what is malformed is rejected here, what is well-formed goes through the chain. */
export function responder(parts: RespondParts): Respond {
  const scratch = Buffer.alloc(parts.udpPayload);
  return (packet, client) => {
    const length = client.transport === 'udp' ? parts.hot.answer(packet, scratch) : 0;
    if (length > 0) return Buffer.from(scratch.subarray(0, length));
    const read = readQuestion(packet);
    if (read.kind === 'query') return respondTo(read, { parts, client });
    parts.counters.rejected({ kind: read.kind });
    return read.kind === 'drop' ? undefined : reject(read, parts);
  };
}

type Context = { readonly parts: RespondParts; readonly client: Client };

function respondTo(query: Query, context: Context): MaybeLater<Uint8Array> {
  const { parts, client } = context;
  const question = {
    name: query.name,
    type: query.type,
    class: query.class,
    recursion: (query.flags & FLAG.RD) !== 0,
    dnssec: ((query.edns?.flags ?? 0) & DNSSEC_OK) !== 0,
    client,
  };
  const failed = (): Reply => {
    parts.counters.failed();
    return status(RCODE.SERVFAIL);
  };
  const encode = (reply: Reply) => encodeReply(query, reply, context);
  const sorry = () => encode(failed());
  try {
    const reply = parts.answer(question);
    if (reply instanceof Promise) return reply.then(encode).catch(sorry);
    if (client.transport === 'udp') parts.hot.learn(query, reply);
    return encode(reply);
  } catch {
    return sorry();
  }
}

function encodeReply(query: Query, reply: Reply, { parts, client }: Context): Uint8Array {
  const { udpPayload, recursion } = parts;
  const limit = client.transport === 'tcp' ? MAX_MESSAGE : udpLimit(query.edns, udpPayload);
  const { answers, authorities, additionals } = reply;
  const asked = query.edns;
  const flags =
    FLAG.QR |
    (reply.authoritative ? FLAG.AA : 0) |
    (query.flags & (FLAG.RD | FLAG.CD)) |
    (recursion ? FLAG.RA : 0) |
    reply.rcode;
  return encodeMessage(
    {
      id: query.id,
      flags,
      question: questionOf(query),
      answers,
      authorities,
      additionals,
      edns: asked === undefined ? undefined : edns(udpPayload, { flags: asked.flags & DNSSEC_OK }),
    },
    limit,
  );
}

function reject(rejected: Rejected, parts: RespondParts): Uint8Array {
  const into = new Uint8Array(512);
  const target = { into, at: 0, limit: 512, udpSize: parts.udpPayload, turn: 0 };
  return into.subarray(0, fillRejection(rejected, target));
}
