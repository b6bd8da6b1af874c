import type { RequestCount } from '../../edge/telemetry/route-tally.ts';
import type { Counted } from './statistics.ts';

/** A route's answers by class of status. */
type Answers = ReadonlyMap<string, number>;

/**
 * What routes were answered since the engine started. HAProxy counts by backend from the start of its worker; what workers before the
 * present one counted is kept here. A backend that took another route's place goes on with its count: that route is gone.
 */
export class RouteTotals {
  readonly #kept = new Map<string, Map<string, number>>();
  readonly #plain = { connectFailures: 0, retries: 0, refused: 0 };

  /** Totals by route; `routeOf` names the route of a backend. */
  requests(now: Counted, routeOf: (backend: string) => string | undefined): readonly RequestCount[] {
    const totals = new Map([...this.#kept].map(([route, answers]) => [route, new Map(answers)]));
    for (const [backend, answers] of now.answers) {
      const route = routeOf(backend);
      if (route !== undefined) this.#add(totals, route, answers);
    }
    return [...totals].flatMap(([route, answers]) =>
      [...answers].map(([codeClass, count]) => ({ route, codeClass, count })),
    );
  }

  plain(now: Counted): {
    readonly connectFailures: number;
    readonly retries: number;
    readonly refused: number;
  } {
    const { connectFailures, retries, refused } = this.#plain;
    return {
      connectFailures: connectFailures + now.connectFailures,
      retries: retries + now.retries,
      refused: refused + now.refused,
    };
  }

  /** The next worker counts from nothing. */
  renew(now: Counted, routeOf: (backend: string) => string | undefined): void {
    for (const [backend, answers] of now.answers) {
      const route = routeOf(backend);
      if (route !== undefined) this.#add(this.#kept, route, answers);
    }
    this.#plain.connectFailures += now.connectFailures;
    this.#plain.retries += now.retries;
    this.#plain.refused += now.refused;
  }

  #add(totals: Map<string, Map<string, number>>, route: string, answers: Answers): void {
    const known = totals.get(route) ?? new Map<string, number>();
    for (const [name, count] of answers) known.set(name, (known.get(name) ?? 0) + count);
    totals.set(route, known);
  }
}
