import type { Clock } from '../../../core/kit/clock.ts';
import { errorText, WeirError } from '../../../core/kit/errors.ts';
import type { Certificate } from '../../../core/model/certificate.ts';
import { isHttp, type Listener } from '../../../core/model/listener.ts';
import { emptyTable, type RouteTable } from '../../edge/routes/route-table.ts';
import { defaultSettings, type EdgeSettings, fixedListeners } from '../../edge/settings.ts';
import { accessLogOf } from '../../edge/telemetry/access-log.ts';
import type { WhyLink, WhyQuestion } from '../../edge/why/why.ts';
import type { EngineStats, IngressEngine, ListenAddress } from '../../engine.ts';
import { isTaking } from './backends.ts';
import type { Issue } from './certificate-keeper.ts';
import { Certified } from './certified.ts';
import { command } from './commands.ts';
import { EndpointNames } from './endpoint-names.ts';
import { Folder } from './folder.ts';
import { HostNames } from './host-names.ts';
import { Layout } from './layout.ts';
import { HaproxyUnusable } from './process.ts';
import { Processes } from './processes.ts';
import { Records } from './records.ts';
import { type Rendering, startRendered } from './rendering.ts';
import { type OpenSocket, Sockets } from './sockets.ts';
import { State } from './state.ts';
import { sweepServers, takeFromRetired } from './sweep.ts';
import { whyHaproxy } from './why.ts';

export type HaproxyDependencies = {
  readonly clock: Clock;
  /** Numbers in [0, 1), for the access log. */
  readonly chance?: () => number;
  /** Makes certificates for hosts that have none; needed for listeners of https. */
  readonly issue?: Issue;
  /** What HAProxy or the engine has to say: a configuration that was refused, a process that died. */
  readonly warn: (text: string) => void;
};

/** Names of hosts are asked for as often (ingress.md A8). */
const sweepMs = 2_000;
const certificatePatienceMs = 3_000;
const firstMendMs = 100;
const lastMendMs = 5_000;

/** HAProxy as the data path: rendered, supervised, and changed while it runs. */
export class HaproxyEngine implements IngressEngine {
  readonly #settings: EdgeSettings;
  readonly #dependencies: HaproxyDependencies;
  readonly #certified: Certified;
  readonly #sockets: Sockets;
  readonly #processes: Processes;
  readonly #names = new EndpointNames();
  readonly #hosts = new HostNames();
  readonly #records: Records | undefined;
  #state: State;
  #layout: Layout;
  #folder: Folder | undefined;
  #wanted: RouteTable = emptyTable;
  /** What the layout says. */
  #laidOut: RouteTable = emptyTable;
  #revision = 0;
  /** The last change did not succeed, or commands cannot make it: only a whole configuration helps. */
  #isBehind = false;
  /** Other sockets are open than the layout knows of, or other things are to be done there. */
  #isReopened = false;
  #doors: readonly OpenSocket[] = [];
  /** One change after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #stopped = AbortSignal.abort();
  #stop = () => {};

  constructor(dependencies: HaproxyDependencies, settings: Partial<EdgeSettings> = {}) {
    this.#settings = { ...defaultSettings, ...settings };
    this.#dependencies = dependencies;
    const { clock, warn, issue = noIssue } = dependencies;
    this.#records = this.#newRecords();
    this.#sockets = new Sockets(this.#settings.address);
    this.#layout = this.#newLayout();
    this.#processes = new Processes({ clock, warn, onDeath: (why) => void this.#mend(why) });
    this.#state = this.#newState();
    this.#certified = new Certified(issue, {
      warn,
      onLate: () => void this.#followCertificates(),
      patience: () => clock.sleep(certificatePatienceMs, this.#stopped).catch(() => {}),
    });
  }

  get listening(): readonly ListenAddress[] {
    if (this.#stopped.aborted) return [];
    return this.#sockets.all.flatMap(({ listener, port }) => {
      const { id, protocol } = listener;
      if (!isHttp(protocol)) return [];
      const scheme = protocol === 'https' ? 'https' : 'http';
      return [{ id, scheme, address: this.#sockets.addressOf(listener), port }];
    });
  }

  /** Of the HAProxy that serves. */
  get pid(): number | undefined {
    return this.#processes.present?.pid;
  }

  async start(): Promise<void> {
    if (!this.#stopped.aborted) return;
    const stopping = new AbortController();
    this.#stopped = stopping.signal;
    this.#stop = () => stopping.abort();
    try {
      this.#folder = await Folder.make();
      for (const listener of fixedListeners(this.#settings))
        if (this.#sockets.get(listener.id) === undefined) this.#sockets.open(listener, undefined);
      this.#takeDoors();
      await this.#inTurn(() => this.#putInForce());
      void this.#sweepForEver(stopping.signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stop();
    await this.#turn;
    await this.#processes.stop(this.#settings.stopMs);
    await this.#records?.flush();
    this.#sockets.closeAll();
    await this.#folder?.remove();
    this.#folder = undefined;
    this.#layout = this.#newLayout();
    this.#state = this.#newState();
    this.#laidOut = emptyTable;
    this.#revision = 0;
  }

  /**
   * Opens a further listener, or changes what an open one does; before `start` it is only noted. `handle`: a socket bound there. Throws
   * PortInUse, and WEIR_HAPROXY_LISTENER for what HAProxy does not carry.
   */
  async open(listener: Listener, handle?: object): Promise<void> {
    const { id, protocol } = listener;
    if (protocol === 'udp')
      throw new WeirError(
        'WEIR_HAPROXY_LISTENER',
        `Cannot open ${id}: the engine haproxy does not carry UDP`,
      );
    const isNew = handle !== undefined || this.#sockets.get(id) === undefined;
    if (isNew) this.#sockets.open(listener, handle);
    else this.#sockets.change(listener);
    try {
      await this.#reopen();
    } catch (error) {
      if (isNew) this.#sockets.close(id);
      throw error;
    }
  }

  /** No more comes in there; what is on its way goes on. */
  async shut(id: string): Promise<void> {
    this.#sockets.close(id);
    await this.#reopen();
  }

  /** The port that a listener really got; undefined: it is not open. */
  portOf(id: string): number | undefined {
    return this.#sockets.get(id)?.port;
  }

  /** Tables that come while one is put in force are put in force together. */
  apply(table: RouteTable): Promise<number> {
    this.#wanted = table;
    return this.#inTurn(() => this.#follow());
  }

  /** Certificates that operators gave; in force with the next table. */
  give(certificates: ReadonlyMap<string, Certificate>): void {
    this.#certified.give(certificates);
  }

  /** What would become of a request. */
  why(question: WhyQuestion): Promise<readonly WhyLink[]> {
    const sick = (routeId: string) => this.#state.sickServers(routeId);
    const { clock } = this.#dependencies;
    return whyHaproxy({ clock, settings: this.#settings, table: this.#laidOut, sick }, question);
  }

  /** Of instances that have left the table, and of those that processes before the present one still serve. */
  inFlight(): Promise<ReadonlyMap<string, number>> {
    return this.#state.inFlight();
  }

  async stats(): Promise<EngineStats> {
    const listeners = this.#sockets.all.map(({ listener, number }) => ({ id: listener.id, number }));
    return this.#state.stats({ revision: this.#revision, pools: this.#laidOut.pools.size, listeners });
  }

  #newLayout(): Layout {
    return new Layout(this.#settings, (host) => this.#hosts.addressOf(host));
  }

  #newRecords(): Records | undefined {
    const { clock, chance = () => 0 } = this.#dependencies;
    const log = accessLogOf({ clock, chance }, this.#settings.accessLog);
    if (log === undefined) return undefined;
    return new Records({
      log,
      routes: {
        routeOf: (backend) => this.#layout.lastRouteOf(backend),
        all: () => this.#layout.lastRoutes(),
      },
      endpointOf: (server) => this.#names.nameOf(server),
      listenerOf: (door) => this.#sockets.numbered(door),
      now: () => clock.now(),
    });
  }

  #newState(): State {
    return new State({
      ...{ processes: this.#processes, layout: this.#layout, names: this.#names, records: this.#records },
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Sockets can only be given to a process that starts; of several changes at once the first makes all. */
  async #reopen(): Promise<void> {
    if (this.#stopped.aborted) return;
    this.#isReopened = true;
    await this.#inTurn(() => this.#follow());
  }

  async #follow(): Promise<number> {
    const table = this.#wanted;
    if (table === this.#laidOut && !this.#isBehind && !this.#isReopened) return this.#revision;
    const { left, hosts } = this.#names.follow(this.#laidOut, table);
    if (hosts.size > 0) await this.#hosts.learn(hosts);
    const isWhole =
      this.#isBehind || this.#isReopened || this.#revision === 0 || this.#processes.present === undefined;
    this.#isBehind = true;
    this.#takeDoors();
    const listeners = this.#doors.map(({ listener }) => listener);
    const { commands, structural } = this.#layout.update(table, listeners);
    this.#laidOut = table;
    const wanted = structural || isWhole ? commands.filter(isTaking) : commands;
    const [done] = await Promise.all([this.#command(wanted), takeFromRetired(this.#processes, left)]);
    if (structural || isWhole || !done || !(await this.#certify())) await this.#putInForce();
    this.#isBehind = false;
    this.#revision = table.revision;
    return table.revision;
  }

  #takeDoors(): void {
    this.#isReopened = false;
    this.#doors = this.#sockets.all;
  }

  async #command(commands: readonly string[]): Promise<boolean> {
    if (commands.length === 0 || this.#processes.present === undefined) return true;
    const { warn } = this.#dependencies;
    return command({ ask: (asked) => this.#processes.ask(asked), warn }, commands);
  }

  /** False when only a new configuration can give HAProxy its certificates. */
  async #certify(): Promise<boolean> {
    const wanted = await this.#certified.wanted(this.#layout, this.#doors);
    const commands = this.#certified.commandsFor(wanted);
    if (commands === undefined) return false;
    const done = await this.#command(commands);
    this.#certified.has(wanted);
    return done;
  }

  async #followCertificates(): Promise<void> {
    if (this.#stopped.aborted) return;
    const turn = this.#inTurn(async () => {
      if (!(await this.#certify())) await this.#putInForce();
    });
    await turn.catch((error: unknown) => this.#dependencies.warn(errorText(error)));
  }

  /** The present layout as a configuration of its own, with a process of its own. */
  async #putInForce(): Promise<void> {
    const folder = this.#folder;
    if (folder === undefined || this.#stopped.aborted) return;
    await this.#state.keepCounts();
    const certificates = await this.#certified.wanted(this.#layout, this.#doors);
    const rendering: Rendering = {
      ...{ folder, ...certificates, settings: this.#settings, layout: this.#layout, sockets: this.#doors },
      isEmpty: this.#laidOut.revision === 0,
      onLine: this.#records?.ofNext(),
      warn: this.#dependencies.warn,
    };
    await startRendered(rendering, this.#processes);
    this.#certified.has(certificates);
  }

  /** Whoever else needs a process meanwhile starts one as well. */
  async #mend(why: string): Promise<void> {
    const { clock, warn } = this.#dependencies;
    const stopped = this.#stopped;
    warn(`HAProxy ended unexpectedly, starting another: ${why}`);
    for (let waitMs = firstMendMs; ; waitMs = Math.min(waitMs * 2, lastMendMs)) {
      await clock.sleep(waitMs, stopped).catch(() => {});
      if (stopped.aborted || this.#processes.present !== undefined) return;
      const mended = this.#inTurn(async () => {
        if (this.#processes.present === undefined) await this.#putInForce();
      });
      await mended.catch((error: unknown) => warn(`${errorText(error)}; trying again`));
    }
  }

  async #moveHosts(): Promise<void> {
    if (!(await this.#command(this.#layout.refill()))) await this.#putInForce();
  }

  async #sweepForEver(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      await this.#dependencies.clock.sleep(sweepMs, stopped).catch(() => {});
      if (stopped.aborted) return;
      await this.#processes.sweep();
      await this.#inTurn(() => sweepServers(this.#layout, this.#processes)).catch(() => {});
      if (await this.#hosts.refresh()) await this.#inTurn(() => this.#moveHosts()).catch(() => {});
    }
  }
}

function noIssue(): Promise<never> {
  return Promise.reject(new HaproxyUnusable('nobody makes certificates'));
}
