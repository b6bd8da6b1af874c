import { Histogram, type LatencyCounts } from './histogram.ts';

export type RequestCount = {
  readonly route: string;
  /** `2xx`, `5xx`, … */
  readonly codeClass: string;
  readonly count: number;
};

/** Answers of one route by the first digit of their status, and how long they took. Plain numbers: adding to one must cost nothing. */
export class RouteTally {
  readonly route: string;
  #classes: number[] | undefined;
  #latency: Histogram | undefined;

  constructor(route: string) {
    this.route = route;
  }

  answered(status: number): void {
    this.#classes ??= [0, 0, 0, 0, 0, 0];
    const index = Math.min(5, Math.floor(status / 100));
    this.#classes[index] = this.#classes[index]! + 1;
  }

  /** A request that went to an endpoint is over, so long after it was decided on. */
  took(ms: number): void {
    this.#latency ??= new Histogram();
    this.#latency.add(ms);
  }

  /** One for each class that occurred. */
  counts(): readonly RequestCount[] {
    const { route } = this;
    return (this.#classes ?? []).flatMap((count, digit) =>
      count === 0 ? [] : [{ route, codeClass: `${digit}xx`, count }],
    );
  }

  /** Undefined: no request went anywhere. */
  latency(): LatencyCounts | undefined {
    return this.#latency?.counts();
  }
}
