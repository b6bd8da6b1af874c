import type { FullReport } from '../edge/messages.ts';

/** Answers by class of status: `2xx`. */
export type Answers = ReadonlyMap<string, number>;

export type ServerNumbers = {
  /** Requests and streams it carries now. */
  readonly current: number;
  readonly answers: Answers;
  readonly connections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connectFailures: number;
  /** It fails the edge's own checks. */
  readonly sick: boolean;
};

export type ListenerNumbers = {
  readonly open: number;
  readonly connections: number;
  readonly refused: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
};

/** What the workers of one edge counted, added up. */
export class Measured {
  readonly #reports: readonly FullReport[];
  readonly #routes = new Map<string, Map<string, number>>();
  readonly #endpoints = new Map<string, ServerNumbers>();
  readonly #listeners = new Map<string, ListenerNumbers>();

  constructor(reports: readonly FullReport[]) {
    this.#reports = reports;
    for (const { stats } of reports) {
      for (const { route, codeClass, count } of stats.requests)
        this.#routes.set(route, sum(this.#routes.get(route), [[codeClass, count]]));
      for (const one of stats.traffic?.endpoints ?? []) {
        const { endpoint, requests, streams, connectFailures, sick, inFlight = 0 } = one;
        const known = this.#endpoints.get(endpoint) ?? idle;
        this.#endpoints.set(endpoint, {
          current: known.current + inFlight,
          answers: sum(
            known.answers,
            requests.map(({ codeClass, count }) => [codeClass, count]),
          ),
          connections: known.connections + streams.connections,
          bytesIn: known.bytesIn + streams.bytesIn,
          bytesOut: known.bytesOut + streams.bytesOut,
          connectFailures: known.connectFailures + connectFailures,
          sick: known.sick || sick,
        });
      }
      for (const { listener, ...counts } of stats.traffic?.listeners ?? [])
        this.#listeners.set(listener, added(this.#listeners.get(listener), counts));
    }
  }

  answers(route: string): Answers {
    return this.#routes.get(route) ?? new Map();
  }

  listener(id: string): ListenerNumbers | undefined {
    return this.#listeners.get(id);
  }

  /** `name`: `endpointName` of it. An engine that does not count by address says what an instance carries. */
  server(name: string, instance: string): ServerNumbers {
    const known = this.#endpoints.get(name) ?? idle;
    const carried = this.#reports.reduce((all, { inFlight }) => all + (inFlight.get(instance) ?? 0), 0);
    return this.#countsByAddress ? known : { ...known, current: carried };
  }

  get #countsByAddress(): boolean {
    return this.#reports.every(({ stats }) =>
      (stats.traffic?.endpoints ?? []).every(({ inFlight }) => inFlight !== undefined),
    );
  }
}

const idle: ServerNumbers = {
  current: 0,
  answers: new Map(),
  connections: 0,
  bytesIn: 0,
  bytesOut: 0,
  connectFailures: 0,
  sick: false,
};

/** Both together. */
export function sum(
  one: Answers = new Map(),
  other: Iterable<readonly [string, number]>,
): Map<string, number> {
  const all = new Map(one);
  for (const [codeClass, count] of other) all.set(codeClass, (all.get(codeClass) ?? 0) + count);
  return all;
}

function added(one: ListenerNumbers | undefined, other: ListenerNumbers): ListenerNumbers {
  if (one === undefined) return other;
  return {
    open: one.open + other.open,
    connections: one.connections + other.connections,
    refused: one.refused + other.refused,
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
  };
}
