import type { Clock } from '../../core/kit/clock.ts';
import type { Listener } from '../../core/model/listener.ts';
import type { BalancerFactory } from '../balancer.ts';
import { roundRobin } from '../balancers/round-robin.ts';
import { Passwords } from '../edge/access/basic-auth.ts';
import { AskingForwardAuths } from '../edge/access/forward-auth.ts';
import type { EdgeContext } from '../edge/context.ts';
import { Doors } from '../edge/listeners/doors.ts';
import type { CertificateSource } from '../edge/listeners/listener.ts';
import { HttpDate } from '../edge/request/http-date.ts';
import { blockList } from '../edge/routes/route-policy.ts';
import { emptyTable, goneRoutes, type RouteTable } from '../edge/routes/route-table.ts';
import { defaultSettings, type EdgeSettings, fixedListeners } from '../edge/settings.ts';
import { accessLogOf } from '../edge/telemetry/access-log.ts';
import { Counters } from '../edge/telemetry/counters.ts';
import type { RouteTally } from '../edge/telemetry/route-tally.ts';
import type { TrafficStats } from '../edge/telemetry/traffic-stats.ts';
import { Upstreams } from '../edge/upstream/upstreams.ts';
import type { WhyLink, WhyQuestion } from '../edge/why/why.ts';
import { whyRequest } from '../edge/why/why-request.ts';
import { Deadlines } from '../edge/wire/deadlines.ts';
import { createScratch } from '../edge/wire/scratch.ts';
import type { EngineStats, IngressEngine, ListenAddress } from '../engine.ts';

export type BuiltinDependencies = {
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly chance: () => number;
  /** Unique texts without spaces. */
  readonly requestId: () => string;
  /** Needed for listeners of https. */
  readonly certificates?: CertificateSource;
  readonly balancer?: BalancerFactory;
};

/** Our own data path, in this process. */
export class BuiltinEngine implements IngressEngine {
  readonly #settings: EdgeSettings;
  readonly #dependencies: BuiltinDependencies;
  readonly #context: EdgeContext;
  readonly #doors: Doors;
  #table: RouteTable = emptyTable;

  constructor(dependencies: BuiltinDependencies, settings: Partial<EdgeSettings> = {}) {
    this.#settings = { ...defaultSettings, ...settings };
    this.#dependencies = dependencies;
    this.#context = this.#createContext();
    const { certificates } = dependencies;
    this.#doors = new Doors({ context: this.#context, certificates }, this.#settings.address);
  }

  get listening(): readonly ListenAddress[] {
    return this.#doors.listening;
  }

  /** The listeners of the edge's own settings; others come with `open`. */
  async start(): Promise<void> {
    try {
      for (const listener of fixedListeners(this.#settings))
        if (listener.protocol === 'http' || this.#dependencies.certificates !== undefined)
          await this.open(listener);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#doors.shutAll(Number.POSITIVE_INFINITY);
    await this.#idle(this.#settings.stopMs);
    this.#doors.destroyFronts();
    this.#context.upstreams.apply(emptyTable);
    await this.#context.accessLog?.flush();
  }

  /** Another process takes over: ends when no client is left, each told with its next answer, or when the bound has passed. */
  async leave(): Promise<void> {
    this.#doors.leaveAll(this.#settings.drainMs);
    await this.#idle(this.#settings.drainMs);
    await this.stop();
  }

  /** Opens a further listener, or changes what an open one does. `handle`: a socket bound there. Throws PortInUse. */
  open(listener: Listener, handle?: object): Promise<void> {
    return this.#doors.open(listener, handle);
  }

  /** No more comes in there; what is on its way is drained. */
  shut(id: string): void {
    this.#doors.shut(id, this.#settings.drainMs);
  }

  /** The port that a listener really got; undefined: it is not open. */
  portOf(id: string): number | undefined {
    return this.#doors.portOf(id);
  }

  async apply(table: RouteTable): Promise<number> {
    const gone = goneRoutes(this.#table, table);
    this.#table = table;
    this.#context.upstreams.apply(table);
    if (gone.size > 0) this.#doors.drain(gone, this.#settings.drainMs);
    return table.revision;
  }

  async inFlight(): Promise<ReadonlyMap<string, number>> {
    return this.#context.upstreams.inFlight();
  }

  async stats(): Promise<EngineStats> {
    const { counters, upstreams } = this.#context;
    const { openConnections, connectFailures, retries, ejections, refused } = counters;
    const inFlight = upstreams
      .inFlight()
      .values()
      .reduce((sum, count) => sum + count, 0);
    const all = [...tallies(this.#table, counters)];
    const requests = all.flatMap((tally) => tally.counts());
    const { revision } = this.#table;
    const counts = { connectFailures, retries, ejections, refused };
    return { revision, openConnections, inFlight, requests, ...counts, traffic: this.#traffic(all) };
  }

  /** What would become of a request. */
  why(question: WhyQuestion): Promise<readonly WhyLink[]> {
    return whyRequest(this.#context, question);
  }

  #traffic(all: readonly RouteTally[]): TrafficStats {
    const { counters, upstreams, accessLog } = this.#context;
    const { limited, tlsHandshakes, tlsFailures } = counters;
    return {
      latencies: all.flatMap((tally) => {
        const latency = tally.latency();
        return latency === undefined ? [] : [{ route: tally.route, ...latency }];
      }),
      endpoints: upstreams.stats(),
      listeners: this.#doors.counts(),
      pools: upstreams.poolCount,
      limited: { ...limited },
      tlsHandshakes,
      tlsFailures,
      accessLogLost: accessLog?.lost ?? 0,
    };
  }

  #createContext(): EdgeContext {
    const { clock, chance, requestId, balancer = roundRobin } = this.#dependencies;
    const base = {
      settings: this.#settings,
      clock,
      counters: new Counters(),
      deadlines: new Deadlines(clock),
      date: new HttpDate(clock),
      scratch: createScratch(this.#settings.maxFields),
      trusted: blockList(this.#settings.trustedProxies),
      passwords: new Passwords(),
      forwardAuths: new AskingForwardAuths(() => this.#context),
      requestId,
      servedTogether: (name: string, host: string) =>
        this.#dependencies.certificates?.covers(name, host) !== false,
      chance,
      table: () => this.#table,
      certificate: (name: string) => this.#table.certificates.get(name),
      accessLog: accessLogOf(this.#dependencies, this.#settings.accessLog),
    };
    return { ...base, upstreams: new Upstreams(base, { balancer, chance }) };
  }

  /** Resolves when no client is left, or when the bound has passed. */
  async #idle(withinMs: number): Promise<void> {
    const bound = new AbortController();
    const late = this.#dependencies.clock.sleep(withinMs, bound.signal).catch(() => {});
    await Promise.race([this.#doors.idle(), late]);
    bound.abort();
  }
}

function* tallies(table: RouteTable, counters: Counters): Generator<RouteTally> {
  for (const { routes } of table.hosts.values()) for (const route of routes) yield route.tally;
  yield counters.unrouted;
}
