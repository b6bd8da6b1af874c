import type { Counters } from '../counters.ts';
import { EXTENDED } from '../extended.ts';
import type { DnsQuestion, Reply } from '../handler.ts';
import type { Chance } from '../lookup.ts';
import type { ForwardOptions, Upstream } from '../options.ts';
import { networkOf } from '../rate-limit.ts';
import { parentOf } from '../record-store.ts';
import { FLAG, type Message, type Name, RCODE, type ResourceRecord, rcodeOf } from '../wire/types.ts';
import { UpstreamHealth, upstreamName } from './health.ts';
import { nobody, searched, type Try } from './search.ts';
import { askUpstream } from './upstream.ts';

export type ForwarderParts = {
  readonly counters: Counters;
  readonly chance: Chance;
  /** Milliseconds, from any beginning. */
  readonly now: () => number;
  /** Whether a name is of our own zones: what others say of it does not count. */
  readonly owns: (name: Name) => boolean;
  /** Whether we are it ourselves: to ask would be a ring. */
  readonly isOurs: (upstream: Upstream) => boolean;
};

/** One question in so many is led by another than the quickest, to learn how quick that one is now. */
const explore = 1 / 32;
/** Part of what may be in flight that one network may have. */
const share = 1 / 4;

/** Asks upstreams. The same question is asked once at a time, however many want to know. */
export class Forwarder {
  readonly #options: ForwardOptions;
  readonly #parts: ForwarderParts;
  readonly #health = new UpstreamHealth();
  readonly #inFlight = new Map<string, Promise<Reply | undefined>>();
  readonly #byNetwork = new Map<number, number>();

  constructor(options: ForwardOptions, parts: ForwarderParts) {
    this.#options = options;
    this.#parts = parts;
    parts.counters.whenRead(() => this.#report());
  }

  /** The upstreams of the longest zone that holds the name. */
  upstreamsFor(name: Name): readonly Upstream[] {
    const { zones, upstreams } = this.#options;
    for (let zone = name; zone !== ''; zone = parentOf(zone)) {
      if (Object.hasOwn(zones, zone)) return zones[zone]!;
    }
    return upstreams;
  }

  /**
   * SERVFAIL when nobody answers, or when too much is in flight already. `key` stands for the question. A ring of resolvers ends
   * here as well: the question that comes back waits for itself until its time is over, and is not asked again.
   */
  async ask(key: string, question: DnsQuestion): Promise<Reply> {
    const running = this.#inFlight.get(key);
    if (running === undefined && !this.#hasRoom(question)) {
      return nobody(EXTENDED.other, 'too many questions wait for upstreams');
    }
    const reply = await (running ?? this.#start(key, question));
    return reply ?? nobody(EXTENDED.noReachableAuthority, 'no upstream answers');
  }

  #hasRoom({ client }: DnsQuestion): boolean {
    const { mostInFlight } = this.#options;
    const own = this.#byNetwork.get(networkOf(client.address)) ?? 0;
    return this.#inFlight.size < mostInFlight && own < mostInFlight * share;
  }

  #start(key: string, question: DnsQuestion): Promise<Reply | undefined> {
    const network = networkOf(question.client.address);
    this.#byNetwork.set(network, (this.#byNetwork.get(network) ?? 0) + 1);
    const running = searched(this.#groups(question)).finally(() => {
      this.#inFlight.delete(key);
      const left = this.#byNetwork.get(network)! - 1;
      if (left === 0) this.#byNetwork.delete(network);
      else this.#byNetwork.set(network, left);
    });
    this.#inFlight.set(key, running);
    return running;
  }

  #groups(question: DnsQuestion): readonly (readonly Try[])[] {
    const { isOurs } = this.#parts;
    const upstreams = this.upstreamsFor(question.name).filter((upstream) => !isOurs(upstream));
    const tries = this.#ordered(upstreams).map((upstream) => () => this.#try(upstream, question));
    const first = this.#options.policy === 'race' ? 2 : 1;
    return [tries.slice(0, first), ...tries.slice(first).map((one) => [one])];
  }

  #ordered(upstreams: readonly Upstream[]): readonly Upstream[] {
    const now = this.#parts.now();
    if (this.#options.policy === 'order') return this.#health.inOrder(upstreams, now);
    const quickest = this.#health.byLatency(upstreams, now);
    if (quickest.length < 2 || this.#parts.chance() >= explore) return quickest;
    const other = 1 + Math.floor(this.#parts.chance() * (quickest.length - 1));
    return [quickest[other]!, ...quickest.toSpliced(other, 1)];
  }

  async #try(upstream: Upstream, question: DnsQuestion): Promise<Reply | undefined> {
    const { counters } = this.#parts;
    const startedAt = this.#parts.now();
    const name = upstreamName(upstream);
    try {
      const reply = this.#replyOf(await askUpstream(upstream, question, this.#options.timeoutMs));
      this.#health.answered(upstream, this.#parts.now() - startedAt);
      counters.forwarded({ upstream: name, outcome: reply.rcode === RCODE.SERVFAIL ? 'servfail' : 'reply' });
      return reply;
    } catch {
      const now = this.#parts.now();
      this.#health.failed(upstream, { now, ms: now - startedAt });
      counters.forwarded({ upstream: name, outcome: 'failed' });
      return undefined;
    }
  }

  /** An extended code cannot be passed on to every client: it becomes SERVFAIL. */
  #replyOf(message: Message): Reply {
    const rcode = rcodeOf(message);
    const foreign = (records: readonly ResourceRecord[]) =>
      records.filter((record) => !this.#parts.owns(record.name));
    return {
      rcode: rcode > 15 ? RCODE.SERVFAIL : rcode,
      authoritative: (message.flags & FLAG.AA) !== 0,
      answers: foreign(message.answers),
      authorities: foreign(message.authorities),
      additionals: foreign(message.additionals),
    };
  }

  #report(): void {
    const { counters } = this.#parts;
    for (const { name, latency, up } of this.#health.report(this.#parts.now())) {
      counters.upstreamUp(up ? 1 : 0, { upstream: name });
      if (latency !== undefined) counters.upstreamSeconds(latency / 1_000, { upstream: name });
    }
    counters.inFlight(this.#inFlight.size);
  }
}
