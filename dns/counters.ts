import { Metrics } from '../core/kit/metrics.ts';
import type { Client } from './handler.ts';
import { codeName } from './plain-reply.ts';

const transports = ['udp', 'tcp', 'tls', 'https'] as const;
const codes = 16;

/** What the resolver counts (dns.md §13); label values are bounded by their types. */
export class Counters {
  readonly #metrics = new Metrics();
  readonly rejected = this.#metrics.counter('weir_dns_rejected_total', 'Packets without an answer, by kind.');
  readonly limited = this.#metrics.counter(
    'weir_dns_rate_limited_total',
    'UDP replies cut to the question because of how much went to that network.',
  );
  readonly overloaded = this.#metrics.counter(
    'weir_dns_overload_drops_total',
    'Questions dropped because too many waited for the chain.',
  );
  readonly forwarded = this.#metrics.counter('weir_dns_forward_tries_total', 'Upstream tries by outcome.');
  readonly upstreamUp = this.#metrics.gauge(
    'weir_dns_upstream_up',
    'Whether an upstream is taken to answer.',
  );
  readonly upstreamSeconds = this.#metrics.gauge(
    'weir_dns_upstream_seconds',
    'Latency of an upstream, smoothed.',
  );
  readonly inFlight = this.#metrics.gauge('weir_dns_forward_in_flight', 'Questions that wait for upstreams.');
  readonly cached = this.#metrics.gauge('weir_dns_cached', 'Replies of upstreams that are kept.');
  readonly cacheLookups = this.#metrics.counter(
    'weir_dns_cache_lookups_total',
    'Questions for upstreams by what the cache had: hit, miss, stale.',
  );
  readonly failed = this.#metrics.counter('weir_dns_failures_total', 'Questions whose handling threw.');
  readonly revision = this.#metrics.gauge('weir_dns_revision', 'Directory revision in force.');
  readonly names = this.#metrics.gauge('weir_dns_names', 'Names in our zones.');
  readonly hotAnswers = this.#metrics.gauge('weir_dns_hot_answers', 'Answers that are kept ready.');
  readonly age = this.#metrics.gauge(
    'weir_dns_directory_age_seconds',
    'Time since the Directory in force was put in force.',
  );
  readonly applySeconds = this.#metrics.gauge(
    'weir_dns_apply_seconds',
    'Time the last revision took to be put in force.',
  );
  readonly #replyTotal = this.#metrics.counter(
    'weir_dns_replies_total',
    'Replies by transport and response code.',
  );
  /** Replies since the last `text`, by transport and code: one per query, so no labels are built for it. */
  readonly #replies = new Float64Array(transports.length * codes);

  readonly #updates: (() => void)[] = [];

  reply(transport: Client['transport'], rcode: number, count = 1): void {
    const at = transports.indexOf(transport) * codes + (rcode & (codes - 1));
    this.#replies[at] = (this.#replies[at] ?? 0) + count;
  }

  /** Called before each `text`: for gauges that are only worth knowing then. */
  whenRead(update: () => void): void {
    this.#updates.push(update);
  }

  /** Prometheus text. */
  text(): string {
    for (const update of this.#updates) update();
    this.#replies.forEach((count, at) => {
      const transport = transports[Math.floor(at / codes)];
      if (count === 0 || transport === undefined) return;
      this.#replyTotal({ transport, rcode: codeName(at % codes) }, count);
    });
    this.#replies.fill(0);
    return this.#metrics.text();
  }
}
