import type { Counters } from '../counters.ts';
import { type DnsQuestion, type Handler, type Reply, status } from '../handler.ts';
import type { ForwardOptions, Upstream } from '../options.ts';
import { parentOf } from '../record-store.ts';
import { askUpstream } from '../upstream.ts';
import { FLAG, type Message, type Name, RCODE, rcodeOf } from '../wire/types.ts';

/**
 * Asks the upstreams of the longest zone that holds the name, in order. An upstream that is silent, or says SERVFAIL or
 * REFUSED, does not end the search (dns.md §14.26); if none does better, the first such reply is given.
 */
export function forwardHandler(options: ForwardOptions, counters: Counters): Handler {
  return {
    name: 'forward',
    answer: (question, next) => {
      const upstreams = upstreamsFor(question.name, options);
      // without RD the client wants only what we know ourselves
      if (upstreams.length === 0 || !question.recursion) return next(question);
      return tryInOrder(question, { upstreams, options, counters });
    },
  };
}

function upstreamsFor(name: Name, options: ForwardOptions): readonly Upstream[] {
  for (let zone = name; zone !== ''; zone = parentOf(zone)) {
    if (Object.hasOwn(options.zones, zone)) return options.zones[zone]!;
  }
  return options.upstreams;
}

type Search = {
  readonly upstreams: readonly Upstream[];
  readonly options: ForwardOptions;
  readonly counters: Counters;
};

async function tryInOrder(question: DnsQuestion, search: Search): Promise<Reply> {
  let poor: Reply | undefined;
  for (const upstream of search.upstreams) {
    const reply = await tryOne(upstream, question, search);
    if (reply === undefined) continue;
    if (reply.rcode !== RCODE.SERVFAIL && reply.rcode !== RCODE.REFUSED) return reply;
    poor ??= reply;
  }
  return poor ?? status(RCODE.SERVFAIL);
}

async function tryOne(
  upstream: Upstream,
  question: DnsQuestion,
  { options, counters }: Search,
): Promise<Reply | undefined> {
  try {
    const reply = replyOf(await askUpstream(upstream, question, options.timeoutMs));
    counters.forwarded({ outcome: reply.rcode === RCODE.SERVFAIL ? 'servfail' : 'reply' });
    return reply;
  } catch {
    counters.forwarded({ outcome: 'failed' });
    return undefined;
  }
}

/** An extended code cannot be passed on to every client: it becomes SERVFAIL. */
function replyOf(message: Message): Reply {
  const rcode = rcodeOf(message);
  const { answers, authorities, additionals } = message;
  const authoritative = (message.flags & FLAG.AA) !== 0;
  return { rcode: rcode > 15 ? RCODE.SERVFAIL : rcode, authoritative, answers, authorities, additionals };
}
