import type { Counters } from '../counters.ts';
import { EXTENDED } from '../extended.ts';
import { aged, type Entry, ForwardCache, isFresh } from '../forward/cache.ts';
import { Forwarder, type ForwarderParts } from '../forward/forwarder.ts';
import { nobody } from '../forward/search.ts';
import type { DnsQuestion, Handler, MaybeLater, Reply } from '../handler.ts';
import type { ForwardOptions } from '../options.ts';
import { RCODE } from '../wire/types.ts';

/** A client waits about a second; before it gives up, a stale answer is better than none (RFC 8767 §5). */
const staleAfterMs = 800;
/** After a failure upstreams are left alone so long while there is a stale answer. */
const retryMs = 30_000;
/** A reply that is asked for is fetched again before it ends: in the last tenth of its time. */
const prefetchPart = 0.1;
const shortestPrefetchedMs = 10_000;

/** Gives what upstreams say to names outside our zones, from the cache where it can. */
export function forwardHandler(options: ForwardOptions, parts: ForwarderParts): Handler {
  const forward = new Forward(options, parts);
  return {
    name: 'forward',
    answer: (question, next) =>
      // without RD the client wants only what we know ourselves
      question.recursion && forward.handles(question) ? forward.answer(question) : next(question),
  };
}

class Forward {
  readonly #forwarder: Forwarder;
  readonly #cache: ForwardCache;
  readonly #counters: Counters;
  readonly #now: () => number;

  constructor(options: ForwardOptions, parts: ForwarderParts) {
    this.#forwarder = new Forwarder(options, parts);
    this.#cache = new ForwardCache(options.cache);
    this.#counters = parts.counters;
    this.#now = parts.now;
    parts.counters.whenRead(() => parts.counters.cached(this.#cache.size));
  }

  handles({ name }: DnsQuestion): boolean {
    return this.#forwarder.upstreamsFor(name).length > 0;
  }

  answer(question: DnsQuestion): MaybeLater<Reply> {
    const key = `${question.type} ${question.dnssec ? 1 : 0} ${question.name}`;
    const now = this.#now();
    const entry = this.#cache.find(key, now);
    if (entry === undefined) return this.#counted('miss', this.#fetch(key, question));
    if (isFresh(entry, now)) {
      if (wantsPrefetch(entry, now)) void this.#fetch(key, question);
      return this.#counted('hit', aged(entry, now));
    }
    if (now < entry.retryAt) return this.#counted('stale', stale(entry, now));
    return this.#orStale(entry, this.#fetch(key, question));
  }

  async #fetch(key: string, question: DnsQuestion): Promise<Reply> {
    const reply = await this.#forwarder.ask(key, question);
    this.#keep(key, reply);
    return reply;
  }

  /** A failure does not take the place of an answer, even of a stale one. */
  #keep(key: string, reply: Reply): void {
    const now = this.#now();
    const before = this.#cache.find(key, now);
    if (isGood(reply) || before === undefined) this.#cache.store(key, reply, now);
    else before.retryAt = now + retryMs;
  }

  async #orStale(entry: Entry, fetched: Promise<Reply>): Promise<Reply> {
    const timer = Promise.withResolvers<undefined>();
    const timeout = setTimeout(() => timer.resolve(undefined), staleAfterMs).unref();
    const reply = await Promise.race([fetched, timer.promise]);
    clearTimeout(timeout);
    if (reply !== undefined && isGood(reply)) return this.#counted('miss', reply);
    return this.#counted('stale', stale(entry, this.#now()));
  }

  #counted<T>(outcome: 'hit' | 'miss' | 'stale', reply: T): T {
    this.#counters.cacheLookups({ outcome });
    return reply;
  }
}

function isGood({ rcode }: Reply): boolean {
  return rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN;
}

function wantsPrefetch(entry: Entry, now: number): boolean {
  entry.hits += 1;
  const left = entry.storedAt + entry.ttlMs - now;
  if (entry.ttlMs < shortestPrefetchedMs || left > entry.ttlMs * prefetchPart) return false;
  // once is asked for by chance; the question in flight is asked once anyway
  return entry.hits > 1;
}

function stale(entry: Entry, now: number): Reply {
  const reply = aged(entry, now);
  if (!isGood(reply)) return nobody(EXTENDED.noReachableAuthority, 'no upstream answers');
  const code = reply.rcode === RCODE.NXDOMAIN ? EXTENDED.staleNxdomain : EXTENDED.staleAnswer;
  return { ...reply, extended: { code, text: 'no upstream answers' } };
}
