import type { Clock } from '../../core/kit/clock.ts';
import type { Part } from '../../core/kit/part.ts';
import { startAll, stopAll } from '../../core/kit/part.ts';
import type { DirectoryConsumer } from '../../core/model/consumer.ts';
import {
  type Directory,
  type DirectoryDelta,
  emptyDirectory,
  takesPart,
} from '../../core/model/directory.ts';
import type { InstanceId } from '../../core/model/ids.ts';
import { type ListenerState, tableOf } from '../../core/model/listener.ts';
import { scopeOf } from '../../core/model/route.ts';
import type { ListenAddress } from '../engine.ts';
import type { KernelPorts } from './l4/kernel-ports.ts';
import { type HandedPlace, PublicPlaces } from './listeners/public-places.ts';
import type { FullReport, WorkerReport } from './messages.ts';
import { defaultSettings, type EdgeSettings, fixedListeners } from './settings.ts';
import { EdgeMetrics } from './telemetry/edge-metrics.ts';
import { TicketKeys } from './tls/ticket-keys.ts';
import { broken, type WhyLink, type WhyQuestion } from './why/why.ts';
import { placeFor, whyArrival } from './why/why-arrival.ts';
import { WorkerLink, type WorkerLinkDependencies } from './worker-link.ts';

export type EdgeDependencies = Omit<
  WorkerLinkDependencies,
  'onCrash' | 'places' | 'onNotOpen' | 'ticketKey'
> & {
  /** Absent: all connections are carried by worker processes. */
  readonly kernel?: KernelPorts;
};

export type EdgeOptions = Partial<EdgeSettings> & {
  /** Processes that share the ports. Default 1. */
  readonly workers?: number;
};

/** What an edge of another process leaves to the one that takes over. */
export type HandedEdge = {
  readonly directory: Directory;
  readonly places: readonly HandedPlace[];
  /** Endpoints that may have connections in the kernel still (`targetKey`). */
  readonly departed: ReadonlyMap<InstanceId, readonly string[]>;
  /** What session tickets are made with, base64. */
  readonly ticketKey?: string;
};

/** Between two attempts to open a place that somebody else has. */
const retryMs = 3_000;

/** The edge as the agent sees it: takes Directories, carries traffic in worker processes, says what is in force. */
export class EdgeConsumer implements DirectoryConsumer, Part {
  readonly name = 'edge';
  #links: readonly WorkerLink[];
  /** They serve the clients they have. */
  readonly #leaving = new Map<WorkerLink, Promise<void>>();
  readonly #makeLink: () => WorkerLink;
  #replacing: Promise<void> | undefined;
  #isLeaving = false;
  readonly #tickets: TicketKeys;
  readonly #resetListeners: (() => void)[] = [];
  readonly #settings: EdgeSettings;
  readonly #places: PublicPlaces;
  readonly #clock: Clock;
  readonly #kernel: KernelPorts | undefined;
  #retrying: AbortController | undefined;
  /** As of when every worker had done its part. */
  #states: readonly ListenerState[] = [];
  /** Places are changed one after the other. */
  #opening: Promise<void> = Promise.resolve();
  readonly #metrics = new EdgeMetrics();
  #directory: Directory = emptyDirectory;
  #inForce: Directory = emptyDirectory;

  constructor(dependencies: EdgeDependencies, options: EdgeOptions = {}) {
    const { workers = 1, ...settings } = options;
    const { kernel, ...linked } = dependencies;
    const onCrash = () => {
      for (const listener of this.#resetListeners) listener();
    };
    this.#tickets = new TicketKeys(dependencies.clock, () => {
      for (const link of this.#links) link.sendTicketKey();
    });
    const ticketKey = () => this.#tickets.key;
    this.#settings = { ...defaultSettings, ...settings };
    this.#clock = dependencies.clock;
    this.#kernel = kernel;
    this.#places = new PublicPlaces(this.#settings.address);
    const places = this.#places.open;
    const onNotOpen = (listener: string, problem: string) => this.#notOpen(listener, problem);
    const parts = { ...linked, onCrash, places, onNotOpen, ticketKey };
    this.#makeLink = () => new WorkerLink(parts, this.#settings);
    this.#links = Array.from({ length: workers }, this.#makeLink);
  }

  /** Process ids of the workers that run now. */
  get pids(): readonly number[] {
    return this.#links.flatMap((link) => link.pid ?? []);
  }

  /** One process of those that serve new clients, and each that still serves the clients it has. */
  get generations(): readonly number[] {
    const [first] = this.pids;
    return [first, ...[...this.#leaving.keys()].map(({ pid }) => pid)].filter((pid) => pid !== undefined);
  }

  /** What all workers do. */
  get inForce(): Directory {
    return this.#inForce;
  }

  /** Where the edge listens, with the ports it really got; empty before `start`. */
  get listening(): readonly ListenAddress[] {
    return this.#places.listening;
  }

  /** What became of the listeners of the Directory. */
  listeners(): readonly ListenerState[] {
    return this.#states.map((state) => ({ ...state, ...this.#kernel?.carried(state.id) }));
  }

  /** Resolves when every worker serves, with what was handed over where something was. Throws PortInUse naming address and port. */
  async start(handed?: HandedEdge): Promise<void> {
    try {
      if (handed !== undefined) this.#take(handed);
      await this.#places.openFixed(fixedListeners(this.#settings));
      const { listeners, revision } = this.#directory;
      if (revision > 0) await this.#places.apply([...listeners.values()], this.#directory);
      this.#places.releaseHanded();
      await startAll([
        this.#tickets,
        ...(this.#kernel ? [this.#kernel] : []),
        ...this.#links.map(this.#begun),
      ]);
      if (revision > 0) await this.apply(this.#directory);
    } catch (error) {
      this.#places.releaseHanded();
      await this.stop();
      throw error;
    }
  }

  #take({ directory, places, departed, ticketKey }: HandedEdge): void {
    if (ticketKey !== undefined) this.#tickets.take(ticketKey);
    this.#directory = directory;
    this.#places.take(places);
    this.#kernel?.restore(departed);
  }

  /** A worker that serves has the routes. */
  readonly #begun = (link: WorkerLink): Part => ({
    start: () => link.start(this.#directory.revision > 0 ? this.#directory : undefined),
    stop: () => link.stop(),
  });

  /** For `start` of another process. */
  handed(): HandedEdge {
    const { handed: places } = this.#places;
    const departed = this.#kernel?.departed ?? new Map();
    return { directory: this.#directory, places, departed, ticketKey: this.#tickets.key };
  }

  /** Another process has taken over. Follows what it is told until its clients are gone, and resolves then. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#retrying?.abort();
    await this.#opening;
    await this.#kernel?.leave();
    this.#places.close();
    for (const link of this.#links) this.#letGo(link);
    this.#links = [];
    await Promise.all(this.#leaving.values());
  }

  #letGo(link: WorkerLink): void {
    const gone = link.leave().finally(() => this.#leaving.delete(link));
    this.#leaving.set(link, gone);
  }

  async stop(): Promise<void> {
    this.#retrying?.abort();
    await this.#opening;
    await this.#kernel?.stop();
    this.#places.close();
    await stopAll([this.#tickets, ...this.#links, ...this.#leaving.keys()]);
  }

  /**
   * Starts new workers, of what is installed now, and lets the old ones go when these serve. The places stay ours: no connection is
   * refused. Resolves when the new ones have taken over.
   */
  replaceWorkers(): Promise<void> {
    this.#replacing ??= this.#replace().finally(() => {
      this.#replacing = undefined;
    });
    return this.#replacing;
  }

  /** One after the other; places do not change meanwhile. */
  #replace(): Promise<void> {
    this.#opening = this.#opening.then(async () => {
      for (const old of this.#links) {
        const link = this.#makeLink();
        await link.start(this.#directory.revision > 0 ? this.#directory : undefined);
        await this.#bringUp(link);
        this.#links = this.#links.map((one) => (one === old ? link : one));
        this.#letGo(old);
      }
    });
    return this.#opening;
  }

  /** Until it has what came while it was told. */
  async #bringUp(link: WorkerLink): Promise<void> {
    for (let told: Directory | undefined; told !== this.#directory && this.#directory.revision > 0; ) {
      told = this.#directory;
      await link.apply(told, undefined);
    }
  }

  async apply(directory: Directory, delta?: DirectoryDelta): Promise<number> {
    const { listeners } = this.#directory;
    this.#directory = directory;
    const leaving = [...this.#leaving].map(([link, gone]) =>
      Promise.race([link.apply(directory, delta), gone.then(() => directory.revision)]),
    );
    const revisions = await Promise.all([
      ...this.#links.map((link) => link.apply(directory, delta)),
      ...leaving,
    ]);
    // After the routes: who comes in by a new place finds them.
    const mayMove = delta === undefined || delta.endpoints !== undefined || listeners !== directory.listeners;
    if (mayMove && listeners.size + directory.listeners.size > 0) await this.#openPlaces();
    if (!this.#isLeaving) await this.#kernel?.apply(directory, this.#places.open.values());
    this.#inForce = directory;
    return Math.min(directory.revision, ...revisions);
  }

  async inFlight(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const report of await this.#ask({ full: false })) {
      for (const [instance, count] of report.inFlight) {
        if (takesPart(this.#directory, instance)) continue;
        counts.set(instance, (counts.get(instance) ?? 0) + count);
      }
    }
    for (const [instance, count] of (await this.#kernel?.inFlight(this.#directory)) ?? [])
      counts.set(instance, (counts.get(instance) ?? 0) + count);
    return counts;
  }

  onReset(listener: () => void): void {
    this.#resetListeners.push(listener);
  }

  /** Counters and load of every worker that runs now. */
  async reports(): Promise<readonly FullReport[]> {
    const reports = await this.#ask({ full: true });
    return reports.flatMap(({ stats, ...report }) => (stats === undefined ? [] : [{ ...report, stats }]));
  }

  /** The way of a request through this edge, to its first broken link. Throws on a URL that is none. */
  async why(question: WhyQuestion): Promise<readonly WhyLink[]> {
    const url = new URL(question.url);
    const arrival = await whyArrival(url, this.listening);
    if (arrival.some(({ ok }) => !ok)) return arrival;
    const listener = this.#places.open.get(placeFor(url, this.listening)?.id ?? '')?.listener;
    const scope = listener === undefined ? '' : scopeOf(tableOf(listener));
    for (const link of this.#links) {
      const rest = await link.why({ ...question, scope });
      if (rest !== undefined) return [...arrival, ...rest];
    }
    return [...arrival, broken('listener', 'no worker of the edge runs', 'look into the log of the agent')];
  }

  /** All of it for a monitor: Prometheus text. */
  async metrics(): Promise<string> {
    return this.#metrics.text(await this.reports(), await this.#kernel?.counts());
  }

  async #ask(how: { readonly full: boolean }): Promise<readonly WorkerReport[]> {
    const all = [...this.#links, ...this.#leaving.keys()];
    const reports = await Promise.all(all.map((link) => link.report(how)));
    return reports.filter((report) => report !== undefined);
  }

  #openPlaces(): Promise<void> {
    if (this.#isLeaving) return Promise.resolve();
    this.#opening = this.#opening.then(async () => {
      const { listeners } = this.#directory;
      const { opened, changed, closed } = await this.#places.apply([...listeners.values()], this.#directory);
      for (const id of closed) for (const link of this.#links) link.shut(id);
      await Promise.all(
        this.#links.flatMap((link) => [
          ...changed.map((place) => link.open(place, { withSocket: false })),
          ...opened.map((place) => link.open(place, { withSocket: true })),
        ]),
      );
      this.#states = this.#places.states;
      if (this.#places.hasProblems) void this.#retryLater();
    });
    return this.#opening;
  }

  #notOpen(listener: string, problem: string): void {
    this.#places.failed(listener, problem);
    for (const link of this.#links) link.shut(listener);
    void this.#retryLater();
  }

  /** Whoever has the port may leave. */
  async #retryLater(): Promise<void> {
    if (this.#retrying !== undefined && !this.#retrying.signal.aborted) return;
    const retrying = new AbortController();
    this.#retrying = retrying;
    try {
      await this.#clock.sleep(retryMs, retrying.signal);
    } catch {
      return;
    }
    this.#retrying = undefined;
    await this.#openPlaces();
    await this.#kernel?.apply(this.#directory, this.#places.open.values());
  }
}
