/** So many of the last durations are kept, as many as Dropwizard keeps by default. */
const kept = 1_028;
const quantiles = { p50: 0.5, p75: 0.75, p90: 0.9, p95: 0.95, p98: 0.98, p99: 0.99, p999: 0.999 };

/** Durations in seconds, shown as a timer of Dropwizard (Marathon §2.2). */
export class RequestTimer {
  readonly #last: number[] = [];
  #count = 0;

  add(seconds: number): void {
    this.#last[this.#count % kept] = seconds;
    this.#count += 1;
  }

  /** `since`: seconds since counting began. */
  view(since: number): Readonly<Record<string, number | string>> {
    const sorted = this.#last.toSorted((a, b) => a - b);
    const at = (quantile: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0;
    const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
    return {
      count: this.#count,
      min: at(0),
      mean,
      ...Object.fromEntries(Object.entries(quantiles).map(([name, quantile]) => [name, at(quantile)])),
      max: at(1),
      mean_rate: since > 0 ? this.#count / since : 0,
      duration_units: 'seconds',
      rate_units: 'calls/second',
    };
  }
}
