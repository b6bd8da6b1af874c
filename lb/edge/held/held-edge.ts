import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorText, WeirError } from '../../../core/kit/errors.ts';
import { PortInUse } from '../../../core/kit/listen.ts';
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
import { Channel } from './channel.ts';
import {
  type Call,
  type Calls,
  type FromHeld,
  type HeldState,
  type Hello,
  isFromHeld,
  protocol,
} from './messages.ts';
import { meetingPlace } from './place.ts';

export type HeldEdgeDependencies = { readonly clock: Clock; readonly log: Log };

export type HeldEdgeOptions = {
  /** Where its socket and its log are. */
  readonly folder: string;
  /** The program that runs an EdgeHost, and its argument. */
  readonly entry: URL;
  readonly settings: string;
};

type Waiter = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void };

const startMs = 15_000;
const pauseMs = 50;
const nothing: HeldState = { listening: [], listeners: [], generations: [] };

/** An edge in a process that outlives this one: found again by the next agent, started where there is none. */
export class HeldEdge implements DirectoryConsumer, Part {
  readonly name = 'edge';
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: HeldEdgeOptions;
  readonly #waiters = new Map<number, Waiter>();
  readonly #resetListeners: (() => void)[] = [];
  #channel: Channel | undefined;
  #state: HeldState = nothing;
  #lastId = 0;
  #stopped = true;
  /** It was asked to end. */
  #ending: PromiseWithResolvers<void> | undefined;
  /** What it has, as far as this process gave it. */
  #given: Directory = emptyDirectory;
  #found: Pick<Hello, 'revision' | 'store'> = { revision: 0 };

  constructor({ clock, log }: HeldEdgeDependencies, options: HeldEdgeOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#options = options;
  }

  get listening(): readonly ListenAddress[] {
    return this.#state.listening;
  }

  get generations(): readonly number[] {
    return this.#state.generations;
  }

  get inForce(): Directory {
    return this.#given;
  }

  listeners(): readonly ListenerState[] {
    return this.#state.listeners;
  }

  onReset(listener: () => void): void {
    this.#resetListeners.push(listener);
  }

  /** Resolves when it serves. Throws PortInUse. */
  async start(): Promise<void> {
    this.#stopped = false;
    if (this.#channel === undefined) await this.#meet();
  }

  /** The edge goes on, for the next agent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#channel?.close();
    this.#lost();
  }

  /** It ends, if there is one, and nothing of it is open any more. */
  async end(): Promise<void> {
    this.#stopped = true;
    if (await this.#connect()) await this.#endIt();
  }

  async apply(directory: Directory, delta: DirectoryDelta | undefined): Promise<number> {
    const { revision, store } = this.#found;
    // It has more than this process knows of: going back would bring endpoints back that are gone.
    if (store !== undefined && store === directory.store && revision > directory.revision) return revision;
    const follows = delta !== undefined && delta.from !== 0 && delta.from === this.#given.revision;
    const applied = await this.#ask('apply', follows ? delta : snapshotDelta(directory));
    this.#given = directory;
    this.#found = { revision: 0 };
    return applied;
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

  async replaceWorkers(): Promise<void> {
    await this.#ask('replaceWorkers', undefined);
  }

  /** One that is there and is as it should be, or a new one. */
  async #meet(): Promise<void> {
    if (await this.#connect()) {
      const hello = await this.#hello();
      if (hello.fits) return this.#use(hello);
      this.#log.info('edge: its settings are others, starting it anew', { pid: hello.pid });
      await this.#endIt();
    }
    const gone = this.#spawn();
    const until = this.#clock.now() + startMs;
    while (!(await this.#connect())) {
      if (this.#clock.now() > until || (await Promise.race([gone, this.#clock.sleep(pauseMs)])) === 'gone')
        throw cannotStart(this.#options.folder);
    }
    this.#use(await this.#hello());
  }

  #hello(): Promise<Hello> {
    return this.#ask('hello', { protocol, settings: this.#options.settings });
  }

  #use({ pid, revision, store }: Hello): void {
    this.#given = emptyDirectory;
    this.#found = { revision, ...(store !== undefined && { store }) };
    if (revision > 0) this.#log.info('edge: goes on as it was left', { pid, revision });
  }

  async #endIt(): Promise<void> {
    const ending = Promise.withResolvers<void>();
    this.#ending = ending;
    await this.#ask('end', undefined).catch(() => {});
    await ending.promise;
    this.#ending = undefined;
  }

  #spawn(): Promise<'gone'> {
    const { entry, folder, settings } = this.#options;
    const log = openSync(join(folder, 'edge.log'), 'a', 0o600);
    const child = spawn(process.execPath, [fileURLToPath(entry), settings], {
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.unref();
    return once(child, 'exit').then(
      () => 'gone',
      () => 'gone',
    );
  }

  async #connect(): Promise<boolean> {
    const place = meetingPlace(this.#options.folder);
    const socket = connect(place.path);
    try {
      await once(socket, 'connect');
    } catch {
      return false;
    } finally {
      place.close();
    }
    const channel = new Channel(socket, {
      message: (value) => {
        if (isFromHeld(value)) this.#take(value);
      },
      closed: () => {
        if (this.#channel === channel) this.#lost();
      },
    });
    this.#channel = channel;
    return true;
  }

  #take(said: FromHeld): void {
    if ('event' in said) {
      for (const listener of this.#resetListeners) listener();
      return;
    }
    const waiter = this.#waiters.get(said.id);
    this.#waiters.delete(said.id);
    if ('failure' in said) {
      waiter?.reject(errorOf(said.failure));
      return;
    }
    this.#state = said.state;
    waiter?.resolve(said.answer as never);
  }

  #ask<C extends Call>(call: C, asks: Calls[C]['asks']): Promise<Calls[C]['answer']> {
    const channel = this.#channel;
    if (channel === undefined) return Promise.reject(away());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
      channel.send({ id, call, asks });
    });
  }

  /** It is gone, or let go. */
  #lost(): void {
    this.#channel = undefined;
    this.#given = emptyDirectory;
    for (const { reject } of this.#waiters.values()) reject(away());
    this.#waiters.clear();
    const ending = this.#ending;
    ending?.resolve();
    if (ending !== undefined || this.#stopped || this.#state === nothing) return;
    this.#state = nothing;
    void this.#restart();
  }

  async #restart(): Promise<void> {
    this.#log.error('edge: its process ended unexpectedly, starting another');
    for (let delayMs = pauseMs; !this.#stopped; delayMs = Math.min(5_000, delayMs * 2)) {
      try {
        await this.#meet();
        for (const listener of this.#resetListeners) listener();
        return;
      } catch (error) {
        this.#log.error('edge: cannot be started', { error: errorText(error) });
        await this.#clock.sleep(delayMs);
      }
    }
  }
}

function errorOf({ code, message, address, port }: Extract<FromHeld, { failure: object }>['failure']): Error {
  if (code === 'WEIR_PORT_IN_USE' && address !== undefined && port !== undefined)
    return new PortInUse({ address, port });
  return code === undefined ? new Error(message) : new WeirError(code, message);
}

function away(): WeirError {
  return new WeirError('WEIR_EDGE_AWAY', 'Cannot ask the edge: its process is being started');
}

function cannotStart(folder: string): WeirError {
  return new WeirError('WEIR_EDGE_AWAY', 'Cannot start the edge: its process does not answer', {
    next: `Look into ${join(folder, 'edge.log')}.`,
  });
}
