import type { LatencyCounts } from '../../edge/telemetry/histogram.ts';
import { RouteTally } from '../../edge/telemetry/route-tally.ts';

/** How long requests took that went to an endpoint, by route and by endpoint. */
export class Latencies {
  readonly #routes = new Map<string, RouteTally>();
  readonly #endpoints = new Map<string, RouteTally>();

  took(route: string, endpoint: string, ms: number): void {
    tallyOf(this.#routes, route).took(ms);
    tallyOf(this.#endpoints, endpoint).took(ms);
  }

  /** Forgets routes that are no more. */
  routes(isThere: (route: string) => boolean): readonly (LatencyCounts & { readonly route: string })[] {
    for (const route of this.#routes.keys()) if (!isThere(route)) this.#routes.delete(route);
    return [...this.#routes].flatMap(([route, tally]) => {
      const latency = tally.latency();
      return latency === undefined ? [] : [{ route, ...latency }];
    });
  }

  /** Forgets all endpoints but these. */
  endpoints(names: ReadonlySet<string>): ReadonlyMap<string, LatencyCounts | undefined> {
    for (const name of this.#endpoints.keys()) if (!names.has(name)) this.#endpoints.delete(name);
    return new Map([...this.#endpoints].map(([name, tally]) => [name, tally.latency()]));
  }
}

function tallyOf(tallies: Map<string, RouteTally>, name: string): RouteTally {
  const known = tallies.get(name) ?? new RouteTally(name);
  tallies.set(name, known);
  return known;
}
