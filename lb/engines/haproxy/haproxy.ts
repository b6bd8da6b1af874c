import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorText, WeirError } from '../../../core/kit/errors.ts';
import type { Certificate } from '../../../core/model/certificate.ts';
import type { Listener } from '../../../core/model/listener.ts';
import { ListenSocket } from '../../edge/listen-socket.ts';
import { emptyTable, endpointName, type RouteTable } from '../../edge/route-table.ts';
import { defaultSettings, type EdgeSettings } from '../../edge/settings.ts';
import type { WhyLink, WhyQuestion } from '../../edge/why.ts';
import type { EngineStats, IngressEngine, ListenAddress } from '../../engine.ts';
import { certificateCommands } from './certificate-changes.ts';
import { type CertificateFile, listText } from './certificate-files.ts';
import { CertificateKeeper, type Issue } from './certificate-keeper.ts';
import { configurationText, fileNames } from './configuration.ts';
import { Layout } from './layout.ts';
import { HaproxyProcess, HaproxyUnusable, refusalOf } from './process.ts';
import { ask } from './runtime-socket.ts';
import { type Slot, serverName } from './slots.ts';
import { type Counted, counted, endpointStats } from './statistics.ts';
import { RouteTotals } from './totals.ts';
import { whyHaproxy } from './why.ts';
import { askWorker, connectedServers, connectionsInUse, oldWorkers } from './workers.ts';

export type HaproxyDependencies = {
  readonly clock: Clock;
  /** Makes certificates for hosts that have none; needed when `httpsPort` is set. */
  readonly issue?: Issue;
  /** What HAProxy or the engine has to say: a configuration that was refused, a process that died. */
  readonly warn: (text: string) => void;
};

type Socket = {
  readonly scheme: 'http' | 'https';
  readonly fd: number;
  readonly port: number;
  readonly close: () => void;
};

const startPatienceMs = 20_000;
const lookMs = 5;
const restartMs = 100;
const sweepMs = 1_000;
const mostCommandsAtOnce = 500;
/** What HAProxy says when it did as it was told. */
const expected =
  /^(New server registered|Server deleted|New empty certificate store|Transaction (created|updated) for certificate|Committing|Inserting certificate|Entry .* deleted in crtlist|Certificate .* deleted)/;

/** HAProxy as the data path: rendered, supervised, and changed while it runs. */
export class HaproxyEngine implements IngressEngine {
  readonly #settings: EdgeSettings;
  readonly #dependencies: HaproxyDependencies;
  readonly #certificates: CertificateKeeper;
  readonly #totals = new RouteTotals();
  #layout: Layout;
  /** What the present process has. */
  #files: readonly CertificateFile[] = [];
  #folder = '';
  readonly #lent = new Map<'http' | 'https', object>();
  #sockets: readonly Socket[] = [];
  #listening: readonly ListenAddress[] = [];
  #process: HaproxyProcess | undefined;
  #generation = 0;
  #wanted: RouteTable = emptyTable;
  #inForce: RouteTable = emptyTable;
  /** The last change did not succeed: only a whole configuration helps. */
  #isBehind = false;
  /** One change after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Who a server is, by its name; also those that have left. */
  readonly #endpoints = new Map<string, { readonly instance: string; readonly name: string }>();
  #stopped: AbortController | undefined;

  constructor(dependencies: HaproxyDependencies, settings: Partial<EdgeSettings> = {}) {
    this.#settings = { ...defaultSettings, ...settings };
    this.#dependencies = dependencies;
    this.#layout = new Layout(this.#settings);
    const { issue = () => Promise.reject(new HaproxyUnusable('nobody makes certificates')) } = dependencies;
    this.#certificates = new CertificateKeeper(issue, () => void this.#followCertificates());
  }

  get listening(): readonly ListenAddress[] {
    return this.#listening;
  }

  /** HAProxy's own master process; its workers are its children. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    if (this.#settings.accessLog !== undefined)
      this.#dependencies.warn('the engine haproxy does not write an access log');
    try {
      this.#folder = await mkdtemp(join(tmpdir(), 'weir-haproxy-'));
      this.#sockets = this.#bind();
      this.#stopped = new AbortController();
      if (this.#servesTls) await this.#certificates.serve([]);
      await this.#writeConfiguration();
      await this.#startProcess();
      this.#listening = this.#sockets.map(({ scheme, port }) => ({
        id: `*${scheme}`,
        scheme,
        address: this.#settings.address,
        port,
      }));
      void this.#sweepForEver(this.#stopped.signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopped?.abort();
    this.#listening = [];
    await this.#turn.catch(() => {});
    if (this.#process !== undefined) await this.#end(this.#process);
    this.#process = undefined;
    for (const socket of this.#sockets) socket.close();
    this.#sockets = [];
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true });
    this.#folder = '';
    this.#layout = new Layout(this.#settings);
    this.#inForce = emptyTable;
  }

  /**
   * Takes a socket that another process has bound, for one of the listeners that the edge is started with; before `start`. Throws on any
   * other listener: that is for the engine builtin.
   */
  async open({ id, protocol }: Listener, socket: object | undefined): Promise<void> {
    if (!id.startsWith('*') || (protocol !== 'http' && protocol !== 'https'))
      throw new WeirError(
        'WEIR_HAPROXY_LISTENER',
        `Cannot open ${id}: the engine haproxy does not open listeners`,
      );
    if (socket !== undefined) this.#lent.set(protocol, socket);
  }

  /** None was opened. */
  async shut(_listener: string): Promise<void> {}

  /** Tables that come while one is put in force are put in force together. */
  async apply(table: RouteTable): Promise<number> {
    this.#wanted = table;
    const turn = this.#turn.then(() => this.#follow());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Certificates that operators gave; in force with the next table. */
  give(certificates: ReadonlyMap<string, Certificate>): void {
    this.#certificates.give(certificates);
  }

  /** What would become of a request. */
  why(question: WhyQuestion): Promise<readonly WhyLink[]> {
    const sick = async (routeId: string) => this.#sickServers(routeId);
    return whyHaproxy(
      { clock: this.#dependencies.clock, settings: this.#settings, table: this.#inForce, sick },
      question,
    );
  }

  /** Of instances that have left the table, and of those that workers before the present one still serve. */
  async inFlight(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const text of await this.#connectionTexts())
      for (const [server, count] of connectionsInUse(text)) {
        const instance = this.#endpoints.get(server)?.instance;
        if (instance !== undefined) counts.set(instance, (counts.get(instance) ?? 0) + count);
      }
    return counts;
  }

  async stats(): Promise<EngineStats> {
    const { revision } = this.#inForce;
    const now = await this.#counted();
    const { openConnections, inFlight } = now;
    return {
      ...{ revision, openConnections, inFlight },
      requests: this.#totals.requests(now, (backend) => this.#routeOf(backend)),
      ...{ ...this.#totals.plain(now), ejections: 0 },
      traffic: {
        latencies: [],
        listeners: [],
        endpoints: endpointStats(now, (server) => this.#endpoints.get(server)?.name),
        pools: this.#inForce.pools.size,
        limited: { client: 0, route: 0 },
        ...{ tlsHandshakes: 0, tlsFailures: 0, accessLogLost: 0 },
      },
    };
  }

  async #counted(): Promise<Counted> {
    const [text = ''] = await this.#ask(['show stat']).catch(() => []);
    return counted(text);
  }

  #routeOf(backend: string): string | undefined {
    return backend === 'nowhere' ? 'none' : this.#layout.routeOf(backend);
  }

  async #sickServers(routeId: string): Promise<ReadonlySet<string>> {
    const slot = this.#layout.slotOf(routeId);
    if (slot === undefined) return new Set();
    const { servers } = await this.#counted();
    return new Set([...slot.servers.keys()].filter((name) => servers.get(name)?.sick === true));
  }

  async #follow(): Promise<number> {
    const table = this.#wanted;
    if (table === this.#inForce && !this.#isBehind) return table.revision;
    for (const key of this.#inForce.pools.differences(table.pools))
      for (const endpoint of table.pools.get(key)?.endpoints ?? [])
        this.#endpoints.set(serverName(endpoint), {
          instance: endpoint.instanceId,
          name: endpointName(endpoint),
        });
    const behind = this.#isBehind || this.#inForce.revision === 0;
    this.#isBehind = true;
    const { commands, structural } = this.#layout.update(table);
    this.#inForce = table;
    const urgent = structural || behind ? commands.filter((one) => one.endsWith(' maint')) : commands;
    const done = await this.#command(urgent);
    const certified = await this.#certify();
    if (structural || behind || !done || !certified) await this.#reload();
    this.#isBehind = false;
    return table.revision;
  }

  /** False when only a new configuration can give HAProxy its certificates. */
  async #certify(): Promise<boolean> {
    if (!this.#servesTls) return true;
    await this.#certificates.serve(this.#layout.hosts);
    const { files } = this.#certificates;
    const commands = certificateCommands(this.#files, files);
    if (commands === undefined) return false;
    const done = await this.#command(commands);
    this.#files = files;
    return done;
  }

  async #followCertificates(): Promise<void> {
    const turn = this.#turn.then(async () => {
      if (!(await this.#certify())) await this.#reload();
    });
    this.#turn = turn.catch((error: unknown) => this.#dependencies.warn(errorText(error)));
    await this.#turn;
  }

  get #servesTls(): boolean {
    return this.#sockets.some(({ scheme }) => scheme === 'https');
  }

  /** False when HAProxy did not understand one of them: then only a new configuration helps. */
  async #command(commands: readonly string[]): Promise<boolean> {
    let understood = true;
    for (let from = 0; from < commands.length; from += mostCommandsAtOnce) {
      const batch = commands.slice(from, from + mostCommandsAtOnce);
      const answers = await this.#ask(batch).catch((error: unknown) => {
        this.#dependencies.warn(errorText(error));
        return undefined;
      });
      if (answers === undefined) return false;
      answers.forEach((answer, n) => {
        if (answer === '' || expected.test(answer)) return;
        this.#dependencies.warn(`HAProxy answers "${answer}" to "${batch[n]}"`);
        understood = false;
      });
    }
    return understood;
  }

  #ask(commands: readonly string[]): Promise<readonly string[]> {
    return ask(join(this.#folder, fileNames.control), commands);
  }

  async #reload(): Promise<void> {
    if (this.#process === undefined || this.#stopped?.signal.aborted) return;
    this.#totals.renew(await this.#counted(), (backend) => this.#routeOf(backend));
    await this.#writeConfiguration();
    await this.#process.reload();
    await this.#awaitGeneration();
  }

  /** Renders the present layout. What HAProxy refuses is closed and said, and the rest goes on. */
  async #writeConfiguration(): Promise<void> {
    this.#generation++;
    for (;;) {
      const { maps, chainFacts, chains, backends } = this.#layout.rendered();
      const sockets = this.#sockets.map(({ scheme }, n) => ({ scheme, fd: n + 3 }));
      const text = configurationText({
        ...{ generation: this.#generation, settings: this.#settings, sockets },
        isEmpty: this.#inForce.revision === 0,
        hasWildcards: this.#layout.hasWildcards,
        ...{ chainFacts, chains, backends },
      });
      const draft = `${fileNames.configuration}.new`;
      this.#files = this.#servesTls ? this.#certificates.files : [];
      await Promise.all([
        this.#write(fileNames.exact, maps.exact),
        this.#write(fileNames.prefix, maps.prefix),
        this.#write(fileNames.challenges, maps.challenges),
        this.#write(fileNames.certificates, listText(this.#files)),
        ...this.#files.map(({ name, pem }) => this.#write(name, pem)),
        this.#write(draft, text),
      ]);
      const refusal = await refusalOf(this.#folder, draft, this.#descriptors);
      if (refusal === undefined) {
        await rename(join(this.#folder, draft), join(this.#folder, fileNames.configuration));
        return;
      }
      const guilty = guiltySlots(refusal, text, this.#layout.slots);
      if (guilty.length === 0) throw new HaproxyUnusable(`it refuses its configuration: ${refusal.trim()}`);
      for (const slot of guilty) {
        this.#dependencies.warn(
          `HAProxy cannot carry out route ${slot.route?.id}, it is closed: ${refusal.trim()}`,
        );
        this.#layout.close(slot);
      }
    }
  }

  #write(name: string, text: string): Promise<void> {
    return writeFile(join(this.#folder, name), text, { mode: 0o600 });
  }

  get #descriptors(): readonly number[] {
    return this.#sockets.map(({ fd }) => fd);
  }

  async #startProcess(): Promise<void> {
    const process = new HaproxyProcess({
      folder: this.#folder,
      sockets: this.#descriptors,
      onExit: (why) => void this.#restart(why),
    });
    this.#process = process;
    await Promise.race([
      this.#awaitGeneration(),
      process.gone.then(() => Promise.reject(new HaproxyUnusable(process.words))),
    ]);
  }

  async #restart(why: string): Promise<void> {
    if (this.#stopped === undefined || this.#stopped.signal.aborted || this.#listening.length === 0) return;
    this.#dependencies.warn(`HAProxy ended unexpectedly, starting another: ${why}`);
    const turn = this.#turn.then(async () => {
      await this.#dependencies.clock.sleep(restartMs, this.#stopped!.signal);
      await this.#writeConfiguration();
      await this.#startProcess();
    });
    this.#turn = turn.catch((error: unknown) => this.#dependencies.warn(errorText(error)));
    await this.#turn;
  }

  /** Until the worker of the last configuration answers. */
  async #awaitGeneration(): Promise<void> {
    const { clock } = this.#dependencies;
    const until = clock.now() + startPatienceMs;
    while (clock.now() < until) {
      const [answer = ''] = await this.#ask(['show info']).catch(() => []);
      if (answer.includes(`generation-${this.#generation}-`)) return;
      await clock.sleep(lookMs, this.#stopped!.signal);
    }
    throw new HaproxyUnusable(
      `no worker with its new configuration within ${startPatienceMs / 1_000} s: ${this.#process?.words}`,
    );
  }

  async #end(process: HaproxyProcess): Promise<void> {
    const { clock } = this.#dependencies;
    process.end('SIGUSR1');
    const bound = new AbortController();
    const late = clock.sleep(this.#settings.stopMs, bound.signal).then(
      () => process.end('SIGTERM'),
      () => {},
    );
    await process.gone;
    bound.abort();
    await late;
  }

  async #sweepForEver(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#dependencies.clock.sleep(sweepMs, signal).catch(() => {});
      if (signal.aborted) return;
      const turn = this.#turn.then(() => this.#sweep());
      this.#turn = turn.catch(() => {});
      await this.#turn;
    }
  }

  /** Takes away servers without connections: HAProxy would forget to close those that only wait. */
  async #sweep(): Promise<void> {
    for (const slot of this.#leavingSlots()) {
      const [text = ''] = await this.#ask([`show servers conn ${slot.name}`]);
      const held = connectedServers(text);
      const names = [...slot.leaving].filter((name) => !held.has(name));
      if (names.length === 0) continue;
      const answers = await this.#ask(names.map((name) => `del server ${slot.name}/${name}`));
      answers.forEach((answer, n) => {
        if (/deleted|No such server/i.test(answer)) slot.leaving.delete(names[n]!);
      });
    }
  }

  #leavingSlots(): readonly Slot[] {
    return this.#layout.slots.filter(({ leaving }) => leaving.size > 0);
  }

  async #connectionTexts(): Promise<readonly string[]> {
    if (this.#process === undefined) return [];
    const present = this.#leavingSlots().map(({ name }) => `show servers conn ${name}`);
    const now = present.length === 0 ? [] : await this.#ask(present).catch(() => []);
    const before = await oldWorkers(this.#folder);
    const old = before.map((pid) => askWorker(this.#folder, pid, ['show servers conn']).catch(() => []));
    return [...now, ...(await Promise.all(old)).flat()];
  }

  #bind(): readonly Socket[] {
    const { address, httpPort, httpsPort } = this.#settings;
    const places = [
      { scheme: 'http', port: httpPort },
      { scheme: 'https', port: httpsPort },
    ] as const;
    return places.flatMap(({ scheme, port }) => {
      if (port === undefined) return [];
      const given = this.#lent.get(scheme);
      if (given !== undefined) return [{ scheme, fd: descriptorOf(given), port, close: () => {} }];
      const own = new ListenSocket({ address, port });
      return [{ scheme, fd: descriptorOf(own.handle), port: own.port, close: () => own.close() }];
    });
  }
}

function descriptorOf(handle: object): number {
  const fd: unknown = Reflect.get(handle, 'fd');
  if (typeof fd !== 'number' || fd < 0)
    throw new HaproxyUnusable('a socket has no descriptor on this system');
  return fd;
}

/** The backends whose lines HAProxy names. */
function guiltySlots(refusal: string, text: string, slots: readonly Slot[]): readonly Slot[] {
  const lines = text.split('\n');
  const names = [...refusal.matchAll(/\[[^\]\s]*:(\d+)\]/g)].map(([, number]) => {
    for (let at = Number(number) - 1; at >= 0; at--) {
      const [, name] = /^(?:backend|userlist) (b\d+)/.exec(lines[at] ?? '') ?? [];
      if (name !== undefined) return name;
      if (/^\S/.test(lines[at] ?? '')) return undefined;
    }
    return undefined;
  });
  return slots.filter(({ name, route }) => route !== undefined && names.includes(name));
}
