import type { Reply } from '../handler.ts';
import { RCODE, type ResourceRecord } from '../wire/types.ts';

export type CacheOptions = {
  /** Replies kept; the one not asked for longest gives way. 0: none. */
  readonly entries: number;
  /** How long after its end a reply may still be given when no upstream answers. */
  readonly staleSeconds: number;
};

/** A reply of an upstream, and when it was stored. Times in ms. */
export type Entry = {
  readonly reply: Reply;
  readonly storedAt: number;
  readonly ttlMs: number;
  hits: number;
  /** The upstreams were asked again and did not answer: not before then again (RFC 8767 §5). */
  retryAt: number;
};

const longestTtl = 86_400;
const longestNegativeTtl = 900;
/** What cannot be had is not asked for again at once (RFC 9520 §3.2). */
const failureTtl = 1;
/** A stale record may be kept so long (RFC 8767 §4). */
const staleTtl = 30;
const mostRecords = 100;

/** Replies of upstreams by question. Nothing of our own zones comes here. */
export class ForwardCache {
  readonly #entries = new Map<string, Entry>();
  readonly #options: CacheOptions;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Fresh or stale; undefined when there is none that may be given at all. */
  find(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    const kept = entry.reply.rcode === RCODE.SERVFAIL ? 0 : this.#options.staleSeconds * 1_000;
    if (now >= entry.storedAt + entry.ttlMs + kept) return undefined;
    this.#entries.set(key, entry);
    return entry;
  }

  store(key: string, reply: Reply, now: number): void {
    const ttl = ttlOf(reply);
    if (ttl === 0 || this.#options.entries === 0) return;
    this.#entries.delete(key);
    this.#entries.set(key, { reply, storedAt: now, ttlMs: ttl * 1_000, hits: 0, retryAt: 0 });
    if (this.#entries.size > this.#options.entries) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
  }
}

export function isFresh(entry: Entry, now: number): boolean {
  return now < entry.storedAt + entry.ttlMs;
}

/** The reply with what is left of its times; that of a stale one is short. */
export function aged({ reply, storedAt, ttlMs }: Entry, now: number): Reply {
  const age = Math.floor((now - storedAt) / 1_000);
  const left = (ttl: number) => (now < storedAt + ttlMs ? Math.max(0, ttl - age) : Math.min(ttl, staleTtl));
  const each = (records: readonly ResourceRecord[]) =>
    records.map((record) => ({ ...record, ttl: left(record.ttl) }));
  return {
    ...reply,
    // only who has the zone is authoritative
    authoritative: false,
    answers: each(reply.answers),
    authorities: each(reply.authorities),
    additionals: each(reply.additionals),
  };
}

/** In seconds; 0: it is not to be kept. */
function ttlOf(reply: Reply): number {
  const records = [...reply.answers, ...reply.authorities, ...reply.additionals];
  if (records.length > mostRecords) return 0;
  if (reply.rcode === RCODE.SERVFAIL) return failureTtl;
  if (reply.rcode !== RCODE.NOERROR && reply.rcode !== RCODE.NXDOMAIN) return 0;
  const least = records.reduce((ttl, record) => Math.min(ttl, record.ttl), longestTtl);
  if (reply.rcode === RCODE.NOERROR && reply.answers.length > 0) return least;
  // RFC 2308 §5: without a SOA nothing says how long
  const soa = reply.authorities.find((record) => record.type === 'SOA');
  return soa?.type === 'SOA' ? Math.min(least, soa.minimum, longestNegativeTtl) : 0;
}
