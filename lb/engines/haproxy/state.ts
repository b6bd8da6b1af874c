import type { EngineStats } from '../../engine.ts';
import { connectionsInUse } from './connections.ts';
import type { EndpointNames } from './endpoint-names.ts';
import type { Layout } from './layout.ts';
import type { Processes } from './processes.ts';
import type { Records } from './records.ts';
import { type Counted, counted, endpointStats, listenerCounts } from './statistics.ts';
import { RouteTotals } from './totals.ts';

export type StateParts = {
  readonly processes: Processes;
  readonly layout: Layout;
  readonly names: EndpointNames;
  /** Undefined: nobody wants an access log. */
  readonly records: Records | undefined;
};

type Facts = {
  readonly revision: number;
  readonly pools: number;
  /** Those that are open. */
  readonly listeners: readonly { readonly id: string; readonly number: number }[];
};

/** What HAProxy says of itself, in the words of routes and instances. */
export class State {
  readonly #parts: StateParts;
  readonly #totals = new RouteTotals();

  constructor(parts: StateParts) {
    this.#parts = parts;
  }

  /** Before another process begins to count. */
  async keepCounts(): Promise<void> {
    this.#totals.renew(await this.#counted(), (backend) => this.#routeOf(backend));
  }

  async stats({ revision, pools, listeners }: Facts): Promise<EngineStats> {
    const { names, processes, layout, records } = this.#parts;
    const now = await this.#counted();
    const { openConnections, inFlight } = now;
    return {
      ...{ revision, openConnections, inFlight },
      requests: this.#totals.requests(now, (backend) => this.#routeOf(backend)),
      ...{ ...this.#totals.plain(now), ejections: 0, replaced: processes.retired.length },
      traffic: {
        latencies: records?.latencies.routes((route) => layout.slotOf(route) !== undefined) ?? [],
        listeners: listenerCounts(now, listeners),
        endpoints: endpointStats(now, (server) => names.nameOf(server), records?.latencies),
        pools,
        limited: { client: 0, route: 0 },
        ...{ tlsHandshakes: 0, tlsFailures: 0 },
        accessLogLost: records === undefined ? 0 : records.lost + (await processes.lostLines()),
      },
    };
  }

  async inFlight(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const text of await this.#connectionTexts())
      for (const [server, count] of connectionsInUse(text)) {
        const instance = this.#parts.names.instanceOf(server);
        if (instance !== undefined) counts.set(instance, (counts.get(instance) ?? 0) + count);
      }
    return counts;
  }

  /** Servers of a route that do not answer as they should. */
  async sickServers(routeId: string): Promise<ReadonlySet<string>> {
    const slot = this.#parts.layout.slotOf(routeId);
    if (slot === undefined) return new Set();
    const { servers } = await this.#counted();
    return new Set([...slot.servers.keys()].filter((name) => servers.get(name)?.sick === true));
  }

  async #connectionTexts(): Promise<readonly string[]> {
    const { layout, processes } = this.#parts;
    const leaving = layout.slots.filter((slot) => slot.leaving.size > 0);
    const present = leaving.map(({ name }) => `show servers conn ${name}`);
    const now = await processes.ask(present).catch(() => []);
    const before = processes.retired.map((one) => one.ask(['show servers conn']).catch(() => []));
    return [...now, ...(await Promise.all(before)).flat()];
  }

  async #counted(): Promise<Counted> {
    const [text = ''] = await this.#parts.processes.ask(['show stat']).catch(() => []);
    return counted(text);
  }

  #routeOf(backend: string): string | undefined {
    return backend === 'nowhere' ? 'none' : this.#parts.layout.routeOf(backend);
  }
}
