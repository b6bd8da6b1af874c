import type { Clock } from '../../../../core/kit/clock.ts';
import type { Log } from '../../../../core/kit/log.ts';
import { Loop } from '../../../../core/kit/loop.ts';
import { Arrivals } from '../../arrivals.ts';
import type { VipBackend, VipCounters, VipEjection, VipRetry } from '../../backend.ts';
import { Ejections } from '../../ejections.ts';
import { emptyTable, serviceKey, type VipProblem, type VipService, type VipTable } from '../../table.ts';
import { bindFault, type Listener } from './listener.ts';
import { OpenCount } from './open-count.ts';
import { listenTcp } from './tcp.ts';
import { listenUdp, type UdpListener } from './udp.ts';

export type UserspaceDependencies = {
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 up to 1, like Math.random. */
  readonly random: () => number;
};

export type UserspaceOptions = {
  /** Default 3 000. */
  readonly connectMs?: number;
  /** Default 60 000. */
  readonly udpIdleMs?: number;
  /** Default 4 096 per service. */
  readonly maxUdpFlows?: number;
};

/**
 * VIPs without root: this process listens on each VIP address (in 127.0.0.0/8) and copies bytes. A VIP without backends
 * is not listened on, so the kernel refuses. Only processes of this machine reach it, and it hides the client's address.
 */
export class UserspaceVips implements VipBackend, VipEjection, VipRetry {
  readonly kind = 'userspace';
  readonly #dependencies: UserspaceDependencies;
  readonly #options: Required<UserspaceOptions>;
  readonly #listeners = new Map<string, Listener | UdpListener>();
  /** Closed to new connections, perhaps still carrying old ones. */
  readonly #closing = new Set<Listener>();
  readonly #counted = new Map<string, number>();
  readonly #open = new OpenCount();
  readonly #sweeper: Loop;
  readonly #retry: Loop;
  readonly #ejections = new Ejections();
  readonly #arrivals = new Arrivals();
  /** Why services are not served, by key. */
  readonly #unserved = new Map<string, string>();
  /** Of what opens and closes ports: one at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #table: VipTable = emptyTable;

  constructor(dependencies: UserspaceDependencies, options: UserspaceOptions = {}) {
    this.#dependencies = dependencies;
    this.#options = { connectMs: 3_000, udpIdleMs: 60_000, maxUdpFlows: 4_096, ...options };
    this.#sweeper = new Loop(async () => this.#sweep(), {
      name: 'vip-udp-sweep',
      clock: dependencies.clock,
      log: dependencies.log,
      everyMs: this.#options.udpIdleMs / 4,
    });
    this.#retry = new Loop(() => this.#alone(() => this.#serveLate()), {
      name: 'vip-bind-retry',
      clock: dependencies.clock,
      log: dependencies.log,
      everyMs: 1_000,
    });
  }

  async start(): Promise<void> {
    await this.#sweeper.start();
    await this.#retry.start();
  }

  ejected(): ReadonlySet<string> {
    return this.#ejections.active(this.#dependencies.clock.now());
  }

  unserved(): readonly VipProblem[] {
    return [...this.#unserved].map(([key, reason]) => ({ key, reason }));
  }

  async apply(table: VipTable): Promise<readonly VipProblem[]> {
    return this.#alone(() => this.#apply(table));
  }

  async #apply(table: VipTable): Promise<readonly VipProblem[]> {
    for (const place of this.#arrivals.observe(this.#table, table, this.#dependencies.clock.now()))
      this.#ejections.forget(place);
    this.#table = table;
    this.#unserved.clear();
    for (const [key, listener] of [...this.#listeners]) {
      if ((table.services.get(key)?.backends.length ?? 0) === 0) await this.#close(key, listener);
    }
    for (const [key, service] of table.services) {
      const reason = await this.#serve(key, service);
      if (reason !== undefined) this.#unserved.set(key, reason);
    }
    return this.unserved();
  }

  async connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    return new Map(
      [...targets].map((key) => [key, this.#open.of(key)] as const).filter(([, count]) => count > 0),
    );
  }

  async counters(): Promise<ReadonlyMap<string, VipCounters>> {
    return new Map(
      [...this.#table.services.keys()].map((key) => [
        key,
        { connections: (this.#counted.get(key) ?? 0) + (this.#listeners.get(key)?.accepted ?? 0) },
      ]),
    );
  }

  async stop(): Promise<void> {
    await this.#sweeper.stop();
    await this.#retry.stop();
    for (const [key, listener] of [...this.#listeners]) await this.#close(key, listener);
    for (const listener of this.#closing) listener.abort();
    this.#closing.clear();
    this.#table = emptyTable;
  }

  /** The reason when it cannot be served; it is tried again every second. */
  async #serve(key: string, service: VipService): Promise<string | undefined> {
    if (service.backends.length === 0) return undefined;
    const present = this.#listeners.get(key);
    if (present !== undefined) {
      present.use(service);
      return undefined;
    }
    try {
      this.#listeners.set(key, await this.#listen(service));
      return undefined;
    } catch (error) {
      return bindFault(serviceKey(service), error);
    }
  }

  #listen(service: VipService): Promise<Listener | UdpListener> {
    const { random, clock } = this.#dependencies;
    const { connectMs, udpIdleMs, maxUdpFlows } = this.#options;
    const failures = {
      failed: (target: string) => void this.#ejections.failed(target, clock.now()),
      ejected: () => this.ejected(),
    };
    const now = () => clock.now();
    if (service.protocol === 'tcp')
      return listenTcp(service, { open: this.#open, random, connectMs, failures, now });
    return listenUdp(service, { random, now, idleMs: udpIdleMs, maxFlows: maxUdpFlows });
  }

  async #close(key: string, listener: Listener): Promise<void> {
    this.#listeners.delete(key);
    this.#counted.set(key, (this.#counted.get(key) ?? 0) + listener.accepted);
    this.#closing.add(listener);
    void listener.ended.then(() => this.#closing.delete(listener));
    await listener.close();
  }

  /** A port that another program had may be free by now. */
  async #serveLate(): Promise<void> {
    for (const key of [...this.#unserved.keys()]) {
      const service = this.#table.services.get(key);
      if (service === undefined || (await this.#serve(key, service)) !== undefined) continue;
      this.#unserved.delete(key);
      this.#dependencies.log.info(`vip: ${key} is served now`);
    }
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #sweep(): void {
    for (const listener of this.#listeners.values()) if ('sweep' in listener) listener.sweep();
  }
}
