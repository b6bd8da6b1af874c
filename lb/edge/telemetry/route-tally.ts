import { bucketOf, type LatencyCounts, latencyBounds } from './histogram.ts';

export type RequestCount = {
  readonly route: string;
  /** `2xx`, `5xx`, … */
  readonly codeClass: string;
  readonly count: number;
};

/** Where the numbers of a tally stand: the sum of all latencies, answers by the first digit of their status, latencies by bucket. */
const sumAt = 0;
const classesAt = 1;
const bucketsAt = classesAt + 6;
const size = bucketsAt + latencyBounds.length + 1;

/**
 * Answers of one route by the first digit of their status, and how long they took. Adding to one must cost nothing, so all is in one
 * array: with many routes each further object is one more wait for memory.
 */
export class RouteTally {
  readonly route: string;
  #numbers: number[] | undefined;

  constructor(route: string) {
    this.route = route;
  }

  answered(status: number): void {
    this.#add(classesAt + Math.min(5, Math.trunc(status / 100)), 1);
  }

  /** A request that went to an endpoint is over, so long after it was decided on. */
  took(ms: number): void {
    this.#add(bucketsAt + bucketOf(ms), 1);
    this.#add(sumAt, ms);
  }

  /** One for each class that occurred. */
  counts(): readonly RequestCount[] {
    const { route } = this;
    return (this.#numbers ?? [])
      .slice(classesAt, bucketsAt)
      .flatMap((count, digit) => (count === 0 ? [] : [{ route, codeClass: `${digit}xx`, count }]));
  }

  /** Undefined: no request went anywhere. */
  latency(): LatencyCounts | undefined {
    const buckets = this.#numbers?.slice(bucketsAt);
    if (buckets === undefined || buckets.every((count) => count === 0)) return undefined;
    return { buckets, sumMs: this.#numbers?.[sumAt] ?? 0 };
  }

  #add(at: number, count: number): void {
    this.#numbers ??= new Array<number>(size).fill(0);
    this.#numbers[at] = this.#numbers[at]! + count;
  }
}
