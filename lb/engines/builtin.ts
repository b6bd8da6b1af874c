import type { Server, Socket } from 'node:net';
import type { Clock } from '../../core/kit/clock.ts';
import type { BalancerFactory } from '../balancer.ts';
import { roundRobin } from '../balancers/round-robin.ts';
import { AccessLog } from '../edge/access-log.ts';
import { Passwords } from '../edge/basic-auth.ts';
import { shownBy } from '../edge/client-certificate.ts';
import { ClientConnection, type ClientOptions } from '../edge/client-connection.ts';
import { type ClientFacts, clientFacts } from '../edge/client-facts.ts';
import type { EdgeContext } from '../edge/context.ts';
import { Counters } from '../edge/counters.ts';
import { Deadlines } from '../edge/deadlines.ts';
import { AskingForwardAuths } from '../edge/forward-auth.ts';
import type { Front } from '../edge/front.ts';
import { type CertificateSource, listenPlain, listenTls, portOf, type TlsTakers } from '../edge/listener.ts';
import { LogFile } from '../edge/log-file.ts';
import { blockList } from '../edge/route-policy.ts';
import { emptyTable, goneRoutes, type RouteTable } from '../edge/route-table.ts';
import type { RouteTally } from '../edge/route-tally.ts';
import { createScratch } from '../edge/scratch.ts';
import { defaultSettings, type EdgeSettings } from '../edge/settings.ts';
import type { TrafficStats } from '../edge/traffic-stats.ts';
import { Upstreams } from '../edge/upstreams.ts';
import type { WhyLink, WhyQuestion } from '../edge/why.ts';
import { whyRequest } from '../edge/why-request.ts';
import type { EngineStats, IngressEngine, ListenAddress } from '../engine.ts';

export type BuiltinDependencies = {
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly chance: () => number;
  /** Unique texts without spaces. */
  readonly requestId: () => string;
  /** Sockets that another process has bound for us, by scheme; read when the engine starts. */
  readonly sockets?: ReadonlyMap<'http' | 'https', object>;
  /** Needed when `httpsPort` is set. */
  readonly certificates?: CertificateSource;
  readonly balancer?: BalancerFactory;
};

/** Our own data path, in this process. */
export class BuiltinEngine implements IngressEngine {
  readonly #settings: EdgeSettings;
  readonly #dependencies: BuiltinDependencies;
  readonly #context: EdgeContext;
  readonly #clients = new Set<Front>();
  #servers: Server[] = [];
  #listening: readonly ListenAddress[] = [];
  #table: RouteTable = emptyTable;
  #onIdle: () => void = () => {};

  constructor(dependencies: BuiltinDependencies, settings: Partial<EdgeSettings> = {}) {
    this.#settings = { ...defaultSettings, ...settings };
    this.#dependencies = dependencies;
    this.#context = this.#createContext();
  }

  get listening(): readonly ListenAddress[] {
    return this.#listening;
  }

  async start(): Promise<void> {
    if (this.#servers.length > 0) return;
    try {
      await this.#listen();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.splice(0)) server.close();
    this.#listening = [];
    for (const client of this.#clients) client.close();
    await this.#idle();
    for (const client of this.#clients) client.destroy();
    this.#context.upstreams.apply(emptyTable);
    await this.#context.accessLog?.flush();
  }

  async apply(table: RouteTable): Promise<number> {
    const gone = goneRoutes(this.#table, table);
    this.#table = table;
    this.#context.upstreams.apply(table);
    if (gone.size > 0) this.#drain(gone);
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
      pools: upstreams.poolCount,
      limited: { ...limited },
      tlsHandshakes,
      tlsFailures,
      accessLogLost: accessLog?.lost ?? 0,
    };
  }

  #drain(routes: ReadonlySet<string>): void {
    for (const client of this.#clients) client.drain(routes, this.#settings.drainMs);
  }

  #createContext(): EdgeContext {
    const { clock, chance, requestId, balancer = roundRobin } = this.#dependencies;
    const base = {
      settings: this.#settings,
      clock,
      counters: new Counters(),
      deadlines: new Deadlines(clock),
      scratch: createScratch(this.#settings.maxFields),
      trusted: blockList(this.#settings.trustedProxies),
      passwords: new Passwords(),
      forwardAuths: new AskingForwardAuths(() => this.#context),
      requestId,
      chance,
      table: () => this.#table,
      accessLog: accessLogOf(this.#dependencies, this.#settings),
    };
    return { ...base, upstreams: new Upstreams(base, { balancer, chance }) };
  }

  async #listen(): Promise<void> {
    const { address, httpPort, httpsPort } = this.#settings;
    const { certificates, sockets } = this.#dependencies;
    if (httpPort !== undefined) {
      const place = { address, port: httpPort, handle: sockets?.get('http') };
      const { scratch } = this.#context;
      this.#serve('http', await listenPlain(place, scratch, (open) => this.#accept('http', open)));
    }
    if (httpsPort !== undefined && certificates !== undefined) {
      const place = { address, port: httpsPort, handle: sockets?.get('https') };
      this.#serve('https', await listenTls(place, certificates, this.#tlsTakers()));
    }
  }

  #serve(scheme: 'http' | 'https', server: Server): void {
    this.#servers.push(server);
    const place = { scheme, address: this.#settings.address, port: portOf(server) };
    this.#listening = [...this.#listening, place];
  }

  #accept(scheme: 'http' | 'https', open: ClientOptions['open']): void {
    const port = this.#listening.find((place) => place.scheme === scheme)?.port ?? 0;
    this.#context.counters.openConnections++;
    const onClosed = (client: ClientConnection) => this.#forget(client);
    const onHttp2 = (client: ClientConnection) => {
      this.#clients.delete(client);
      void this.#takeHttp2(client.wire.socket, client.facts);
    };
    this.#clients.add(new ClientConnection(this.#context, { scheme, port, open, onClosed, onHttp2 }));
  }

  #tlsTakers(): TlsTakers {
    const { counters } = this.#context;
    return {
      onFailed: () => counters.tlsFailures++,
      onAccepted: (open) => {
        counters.tlsHandshakes++;
        this.#accept('https', open);
      },
      onHttp2: (socket) => {
        const port = this.#listening.find((place) => place.scheme === 'https')?.port ?? 0;
        const { remoteAddress } = socket;
        counters.tlsHandshakes++;
        counters.openConnections++;
        const arrival = { remoteAddress, scheme: 'https', port } as const;
        const facts = { ...clientFacts(this.#context.trusted, arrival), certificate: shownBy(socket) };
        void this.#takeHttp2(socket, facts);
      },
    };
  }

  /** node:http2 is loaded for the first client that speaks it: an edge without stays small. */
  async #takeHttp2(socket: Socket, facts: ClientFacts): Promise<void> {
    const { Http2Connection } = await import('../edge/http2/connection.ts');
    if (socket.destroyed || this.#servers.length === 0) {
      socket.destroy();
      this.#context.counters.openConnections--;
      return;
    }
    const onClosed = (client: Front) => this.#forget(client);
    this.#clients.add(new Http2Connection(this.#context, { facts, socket, onClosed }));
  }

  #forget(client: Front): void {
    this.#context.counters.openConnections--;
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#onIdle();
  }

  /** Resolves when no client is left, or when the bound has passed. */
  async #idle(): Promise<void> {
    if (this.#clients.size === 0) return;
    const bound = new AbortController();
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    const late = this.#dependencies.clock.sleep(this.#settings.stopMs, bound.signal).catch(() => {});
    await Promise.race([idle, late]);
    bound.abort();
  }
}

function accessLogOf(
  { clock, chance }: BuiltinDependencies,
  { accessLog }: EdgeSettings,
): AccessLog | undefined {
  if (accessLog === undefined) return undefined;
  return new AccessLog(
    { clock, lines: new LogFile(clock, accessLog.file) },
    { share: accessLog.share, chance },
  );
}

function* tallies(table: RouteTable, counters: Counters): Generator<RouteTally> {
  for (const { routes } of table.hosts.values()) for (const route of routes) yield route.tally;
  yield counters.unrouted;
}
