import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorText, WeirError } from '../../../core/kit/errors.ts';
import type { Log } from '../../../core/kit/log.ts';
import type { Part } from '../../../core/kit/part.ts';
import type { DirectoryConsumer } from '../../../core/model/consumer.ts';
import {
  type Directory,
  type DirectoryDelta,
  emptyDirectory,
  snapshotDelta,
} from '../../../core/model/directory.ts';
import type { ListenerState } from '../../../core/model/listener.ts';
import type { ListenAddress } from '../../engine.ts';
import type { FullReport } from '../messages.ts';
import type { WhyLink, WhyQuestion } from '../why/why.ts';
import { away, Caller, nothing } from './caller.ts';
import { type Call, type Calls, type HeldState, type Hello, type Program, protocol } from './messages.ts';

export type HeldEdgeDependencies = { readonly clock: Clock; readonly log: Log };

export type HeldEdgeOptions = {
  /** Where its socket and its log are. */
  readonly folder: string;
  /** The program that runs an EdgeHost, and its argument. */
  readonly entry: URL;
  readonly settings: string;
};

const startMs = 15_000;
const pauseMs = 50;

/** An edge in a process that outlives this one: found again by the next agent, started where there is none. */
export class HeldEdge implements DirectoryConsumer, Part {
  readonly name = 'edge';
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: HeldEdgeOptions;
  readonly #resetListeners: (() => void)[] = [];
  #caller: Caller | undefined;
  #state: HeldState = nothing;
  #stopped = true;
  /** What it has, as far as this process gave it. */
  #given: Directory = emptyDirectory;
  #found: Pick<Hello, 'revision' | 'store' | 'handsOver'> = { revision: 0 };
  /** What changes it, one after the other: what is applied meanwhile would be the former one's alone. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ clock, log }: HeldEdgeDependencies, options: HeldEdgeOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#options = options;
  }

  get listening(): readonly ListenAddress[] {
    return this.#seen.listening;
  }

  get generations(): readonly number[] {
    return this.#seen.generations;
  }

  get inForce(): Directory {
    return this.#given;
  }

  listeners(): readonly ListenerState[] {
    return this.#seen.listeners;
  }

  /** Of the one that is there, or was until now. */
  get #seen(): HeldState {
    if (this.#caller !== undefined) this.#state = this.#caller.state;
    return this.#state;
  }

  onReset(listener: () => void): void {
    this.#resetListeners.push(listener);
  }

  /** Resolves when it serves. Throws PortInUse. */
  async start(): Promise<void> {
    this.#stopped = false;
    if (this.#caller === undefined) await this.#meet();
  }

  /** The edge goes on, for the next agent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#letGo();
  }

  /** It ends, if there is one, and nothing of it is open any more. */
  async end(): Promise<void> {
    this.#stopped = true;
    const caller = this.#caller ?? (await Caller.meet(this.#options.folder));
    if (caller === undefined) return;
    await endOf(caller);
    this.#letGo();
  }

  apply(directory: Directory, delta: DirectoryDelta | undefined): Promise<number> {
    return this.#alone(async () => {
      const { revision, store } = this.#found;
      // It has more than this process knows of: going back would bring endpoints back that are gone.
      if (store !== undefined && store === directory.store && revision > directory.revision) return revision;
      const follows = delta !== undefined && delta.from !== 0 && delta.from === this.#given.revision;
      const applied = await this.#ask('apply', follows ? delta : snapshotDelta(directory));
      this.#given = directory;
      this.#found = { ...this.#found, revision: 0 };
      return applied;
    });
  }

  inFlight(): Promise<ReadonlyMap<string, number>> {
    return this.#ask('inFlight', undefined);
  }

  reports(): Promise<readonly FullReport[]> {
    return this.#ask('reports', undefined);
  }

  why(question: WhyQuestion): Promise<readonly WhyLink[]> {
    return this.#ask('why', question);
  }

  async metrics(): Promise<string> {
    return this.#ask('metrics', undefined).catch(() => '');
  }

  /** All of its processes, where it can hand over what it has. */
  replaceWorkers(): Promise<void> {
    return this.#alone(async () => {
      if (this.#caller !== undefined && this.#found.handsOver) await this.#succeed(this.#caller);
      else await this.#ask('replaceWorkers', undefined);
    });
  }

  /** One that is there and is as it should be, or a new one. */
  async #meet(): Promise<void> {
    const found = await Caller.meet(this.#options.folder);
    if (found === undefined) return this.#begin();
    const hello = await this.#hello(found);
    if (hello.fits) return this.#use(found, hello);
    if (hello.handsOver) {
      this.#log.info('edge: its settings are others, another takes over', { pid: hello.pid });
      return this.#succeed(found);
    }
    this.#log.info('edge: its settings are others, starting it anew', { pid: hello.pid });
    await endOf(found);
    await this.#begin();
  }

  #hello(caller: Caller): Promise<Hello> {
    return caller.ask('hello', { protocol, settings: this.#options.settings });
  }

  #use(caller: Caller, { revision, handsOver, pid, store }: Hello): void {
    this.#caller = caller;
    this.#given = emptyDirectory;
    this.#found = { revision, ...(store !== undefined && { store }), ...(handsOver && { handsOver }) };
    caller.onReset = () => this.#tellReset();
    caller.onClosed = () => this.#lost(caller);
    if (revision > 0) this.#log.info('edge: goes on as it was left', { pid, revision });
  }

  /** Another one takes its place, with its sockets, and it lets its clients go. */
  async #succeed(before: Caller): Promise<void> {
    await before.ask('handOver', this.#program).catch((error: unknown) => {
      if (before !== this.#caller) before.close();
      throw error;
    });
    const next = await Caller.meet(this.#options.folder);
    if (next === undefined) throw cannotStart(this.#options.folder);
    const hello = await this.#hello(next);
    before.onClosed = () => {};
    this.#use(next, hello);
    before.close();
  }

  async #begin(): Promise<void> {
    const { folder } = this.#options;
    const gone = this.#spawn();
    const until = this.#clock.now() + startMs;
    for (;;) {
      const caller = await Caller.meet(folder);
      if (caller !== undefined) return this.#use(caller, await this.#hello(caller));
      if (this.#clock.now() > until || (await Promise.race([gone, this.#clock.sleep(pauseMs)])) === 'gone')
        throw cannotStart(folder);
    }
  }

  get #program(): Program {
    const { entry, settings } = this.#options;
    return { file: process.execPath, args: [fileURLToPath(entry), settings] };
  }

  #spawn(): Promise<'gone'> {
    const { file, args } = this.#program;
    const log = openSync(join(this.#options.folder, 'edge.log'), 'a', 0o600);
    const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.unref();
    return once(child, 'exit').then(
      () => 'gone',
      () => 'gone',
    );
  }

  #ask<C extends Call>(call: C, asks: Calls[C]['asks']): Promise<Calls[C]['answer']> {
    return this.#caller?.ask(call, asks) ?? Promise.reject(away());
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #letGo(): void {
    this.#caller?.close();
    this.#given = emptyDirectory;
    this.#state = this.#seen;
    this.#caller = undefined;
  }

  #tellReset(): void {
    for (const listener of this.#resetListeners) listener();
  }

  /** It is gone, unasked. */
  #lost(caller: Caller): void {
    if (this.#caller !== caller) return;
    this.#caller = undefined;
    this.#given = emptyDirectory;
    this.#state = nothing;
    if (!this.#stopped) void this.#restart();
  }

  async #restart(): Promise<void> {
    this.#log.error('edge: its process ended unexpectedly, starting another');
    for (let delayMs = pauseMs; !this.#stopped; delayMs = Math.min(5_000, delayMs * 2)) {
      try {
        await this.#meet();
        this.#tellReset();
        return;
      } catch (error) {
        this.#log.error('edge: cannot be started', { error: errorText(error) });
        await this.#clock.sleep(delayMs);
      }
    }
  }
}

/** Asks it to end, and resolves when nothing of it is open. */
async function endOf(caller: Caller): Promise<void> {
  caller.onClosed = () => {};
  await caller.ask('end', undefined).catch(() => {});
  await caller.closed;
}

function cannotStart(folder: string): WeirError {
  return new WeirError('WEIR_EDGE_AWAY', 'Cannot start the edge: its process does not answer', {
    next: `Look into ${join(folder, 'edge.log')}.`,
  });
}
