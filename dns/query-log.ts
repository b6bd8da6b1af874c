import type { Client } from './handler.ts';
import { codeName, typeName } from './plain-reply.ts';

/** A question that was noted, and how many it stands for. */
export type LoggedQuery = {
  /** ms since the epoch. */
  readonly at: number;
  readonly client: string;
  readonly transport: Client['transport'];
  readonly name: string;
  readonly type: string;
  readonly rcode: string;
  /** Questions since the one noted before it, itself included. */
  readonly standsFor: number;
};

/** About how many questions came from an address, as far as those that were noted tell. */
export type ClientCount = { readonly client: string; readonly queries: number; readonly failures: number };

export type QueryReport = {
  readonly queries: readonly LoggedQuery[];
  readonly clients: readonly ClientCount[];
};

export type Noted = {
  readonly client: Client;
  readonly name: string;
  readonly type: number;
  readonly rcode: number;
};

const kept = 500;
const mostClients = 256;
const betweenMs = 10;

/** Which questions are noted: at most a hundred a second, so that a flood costs no more than a trickle. */
export class Sampler {
  #count = 0;
  #last = 0;

  /** How many questions the present one stands for; 0: it is not noted. `now` in ms. */
  due(now: number): number {
    this.#count += 1;
    if (now - this.#last < betweenMs) return 0;
    const weight = this.#count;
    this.#count = 0;
    this.#last = now;
    return weight;
  }
}

/** The newest of the noted questions, and who asks most. Bounded, whatever is asked by whomever. */
export class QueryLog {
  readonly #queries: LoggedQuery[] = [];
  #next = 0;
  readonly #clients = new Map<string, { queries: number; failures: number }>();

  note({ client, name, type, rcode }: Noted, standsFor: number, at: number): void {
    const said = { name, type: typeName(type), rcode: codeName(rcode) };
    const query = { at, client: client.address, transport: client.transport, ...said, standsFor };
    this.#queries[this.#next % kept] = query;
    this.#next += 1;
    this.#count(client.address, standsFor, rcode === 0 ? 0 : standsFor);
  }

  /** The newest first; the busiest first. */
  report(): QueryReport {
    const begin = this.#next % kept;
    const queries = [...this.#queries.slice(begin), ...this.#queries.slice(0, begin)].reverse();
    const clients = [...this.#clients].map(([client, counts]) => ({ client, ...counts }));
    return { queries, clients: clients.sort((a, b) => b.queries - a.queries) };
  }

  #count(client: string, queries: number, failures: number): void {
    const known = this.#clients.get(client);
    if (known !== undefined) {
      known.queries += queries;
      known.failures += failures;
      return;
    }
    // whoever asked least gives way and leaves its count: one that asks much cannot be kept out, and no count is too low
    const least = this.#clients.size < mostClients ? undefined : this.#takeLeast();
    this.#clients.set(client, { queries: queries + (least ?? 0), failures });
  }

  #takeLeast(): number {
    let least: { client: string; queries: number } | undefined;
    for (const [client, { queries }] of this.#clients) {
      if (least === undefined || queries < least.queries) least = { client, queries };
    }
    this.#clients.delete(least!.client);
    return least!.queries;
  }
}
