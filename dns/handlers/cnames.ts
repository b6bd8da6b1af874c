import { type DnsQuestion, type Handler, type MaybeLater, type Next, type Reply, then } from '../handler.ts';
import { type Name, RCODE, TYPE } from '../wire/types.ts';

/** No honest chain is longer; a ring ends here. */
const longestChain = 8;

/**
 * A stub resolver does not follow aliases by itself: what a CNAME of ours leads to is looked up for it, in our zones or
 * outside them, and said in the same reply (RFC 1034 §4.3.2).
 */
export const cnamesHandler: Handler = {
  name: 'cnames',
  answer: (question, next) =>
    then(next(question), (reply) => followed(reply, question, { next, left: longestChain })),
};

type Following = { readonly next: Next; readonly left: number };

function followed(reply: Reply, question: DnsQuestion, { next, left }: Following): MaybeLater<Reply> {
  const target = targetOf(reply, question);
  if (target === undefined) return reply;
  if (left === 0) return { ...reply, rcode: RCODE.SERVFAIL };
  const further = { ...question, name: target };
  const later = then(next(further), (found) => followed(found, further, { next, left: left - 1 }));
  return then(later, (found) => joined(reply, found));
}

function targetOf({ answers, authorities, rcode }: Reply, question: DnsQuestion): Name | undefined {
  const last = answers.at(-1);
  // with a SOA it says that the end of the chain has nothing
  if (authorities.some((record) => record.type === 'SOA')) return undefined;
  if (rcode !== RCODE.NOERROR || last?.type !== 'CNAME' || last.target === question.name) return undefined;
  return question.type === TYPE.CNAME || question.type === TYPE.ANY ? undefined : last.target;
}

/** A refusal to look further leaves the alias standing alone. */
function joined(reply: Reply, found: Reply): Reply {
  if (found.rcode === RCODE.REFUSED) return reply;
  const { reads: _, ...rest } = { ...found, answers: [...reply.answers, ...found.answers] };
  const reads = reply.reads && found.reads && [...reply.reads, ...found.reads];
  return { ...rest, authoritative: reply.authoritative, ...(reads === undefined ? {} : { reads }) };
}
