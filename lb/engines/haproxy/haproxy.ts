import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorText } from '../../../core/kit/errors.ts';
import { ListenSocket } from '../../edge/listen-socket.ts';
import { emptyTable, type RouteTable } from '../../edge/route-table.ts';
import { defaultSettings, type EdgeSettings } from '../../edge/settings.ts';
import type { EngineStats, IngressEngine, ListenAddress } from '../../engine.ts';
import { configurationText, fileNames } from './configuration.ts';
import { Layout } from './layout.ts';
import { HaproxyProcess, HaproxyUnusable, refusalOf } from './process.ts';
import { ask } from './runtime-socket.ts';
import { serverName, type Slot } from './slots.ts';
import { askWorker, connectedServers, connectionsInUse, oldWorkers } from './workers.ts';

export type HaproxyDependencies = {
  readonly clock: Clock;
  /** Sockets that another process has bound for us, by scheme; read when the engine starts. */
  readonly sockets?: ReadonlyMap<'http' | 'https', object>;
  /** What HAProxy or the engine has to say: a configuration that was refused, a process that died. */
  readonly warn: (text: string) => void;
};

type Socket = { readonly scheme: 'http' | 'https'; readonly fd: number; readonly port: number; readonly close: () => void };

const startPatienceMs = 20_000;
const lookMs = 5;
const restartMs = 100;
const sweepMs = 1_000;
const mostCommandsAtOnce = 500;

/** HAProxy as the data path: rendered, supervised, and changed while it runs. */
export class HaproxyEngine implements IngressEngine {
  readonly #settings: EdgeSettings;
  readonly #dependencies: HaproxyDependencies;
  #layout: Layout;
  #folder = '';
  #sockets: readonly Socket[] = [];
  #listening: readonly ListenAddress[] = [];
  #process: HaproxyProcess | undefined;
  #generation = 0;
  #wanted: RouteTable = emptyTable;
  #inForce: RouteTable = emptyTable;
  /** One change after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Whose server it is, by its name. */
  readonly #instances = new Map<string, string>();
  #stopped: AbortController | undefined;

  constructor(dependencies: HaproxyDependencies, settings: Partial<EdgeSettings> = {}) {
    this.#settings = { ...defaultSettings, ...settings };
    this.#dependencies = dependencies;
    this.#layout = new Layout(this.#settings);
  }

  get listening(): readonly ListenAddress[] {
    return this.#listening;
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    try {
      this.#folder = await mkdtemp(join(tmpdir(), 'weir-haproxy-'));
      this.#sockets = this.#bind();
      this.#stopped = new AbortController();
      await this.#writeConfiguration();
      await this.#startProcess();
      this.#listening = this.#sockets.map(({ scheme, port }) => ({ scheme, address: this.#settings.address, port }));
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

  /** Tables that come while one is put in force are put in force together. */
  async apply(table: RouteTable): Promise<number> {
    this.#wanted = table;
    const turn = this.#turn.then(() => this.#follow());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Of instances that have left the table, and of those that workers before the present one still serve. */
  async inFlight(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const text of await this.#connectionTexts())
      for (const [server, count] of connectionsInUse(text)) {
        const instance = this.#instances.get(server);
        if (instance !== undefined) counts.set(instance, (counts.get(instance) ?? 0) + count);
      }
    return counts;
  }

  async stats(): Promise<EngineStats> {
    const { revision } = this.#inForce;
    const none = { connectFailures: 0, retries: 0, ejections: 0, refused: 0 };
    return { revision, openConnections: 0, inFlight: 0, requests: [], ...none };
  }

  async #follow(): Promise<number> {
    const table = this.#wanted;
    if (table === this.#inForce && table !== emptyTable) return table.revision;
    for (const key of this.#inForce.pools.differences(table.pools))
      for (const endpoint of table.pools.get(key)?.endpoints ?? [])
        this.#instances.set(serverName(endpoint), endpoint.instanceId);
    const first = this.#inForce.revision === 0;
    const { commands, structural } = this.#layout.update(table);
    this.#inForce = table;
    const urgent = structural || first ? commands.filter((one) => one.endsWith(' maint')) : commands;
    const done = await this.#command(urgent);
    if (structural || first || !done) await this.#reload();
    return table.revision;
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
        if (answer === '' || /^New server registered|^Server deleted|^Backend/.test(answer)) return;
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
      await Promise.all([
        this.#write(fileNames.exact, maps.exact),
        this.#write(fileNames.prefix, maps.prefix),
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
        this.#dependencies.warn(`HAProxy cannot carry out route ${slot.route?.id}, it is closed: ${refusal.trim()}`);
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
    throw new HaproxyUnusable(`no worker with its new configuration within ${startPatienceMs / 1_000} s: ${this.#process?.words}`);
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
      const given = this.#dependencies.sockets?.get(scheme);
      if (given !== undefined) return [{ scheme, fd: descriptorOf(given), port, close: () => {} }];
      const own = new ListenSocket({ address, port });
      return [{ scheme, fd: descriptorOf(own.handle), port: own.port, close: () => own.close() }];
    });
  }
}

function descriptorOf(handle: object): number {
  const fd: unknown = Reflect.get(handle, 'fd');
  if (typeof fd !== 'number' || fd < 0) throw new HaproxyUnusable('a socket has no descriptor on this system');
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
