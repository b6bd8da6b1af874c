import { Metrics } from '../core/kit/metrics.ts';

/** What the resolver counts (dns.md §13); label values are bounded by their types. */
export class Counters {
  readonly #metrics = new Metrics();
  readonly reply = this.#metrics.counter('weir_dns_replies_total', 'Replies by transport and response code.');
  readonly rejected = this.#metrics.counter('weir_dns_rejected_total', 'Packets without an answer, by kind.');
  readonly forwarded = this.#metrics.counter('weir_dns_forward_tries_total', 'Upstream tries by outcome.');
  readonly failed = this.#metrics.counter('weir_dns_failures_total', 'Questions whose handling threw.');
  readonly revision = this.#metrics.gauge('weir_dns_revision', 'Directory revision in force.');
  readonly names = this.#metrics.gauge('weir_dns_names', 'Names in our zones.');
  readonly applySeconds = this.#metrics.gauge(
    'weir_dns_apply_seconds',
    'Time the last revision took to be put in force.',
  );

  text(): string {
    return this.#metrics.text();
  }
}
