import type { Clock } from '../../core/kit/clock.ts';
import { errorText, WeirError } from '../../core/kit/errors.ts';
import { PortInUse } from '../../core/kit/listen.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Part } from '../../core/kit/part.ts';
import { SupervisedChild } from '../../core/kit/supervised.ts';
import {
  type Directory,
  type DirectoryDelta,
  deltaBetween,
  snapshotDelta,
} from '../../core/model/directory.ts';
import type { Place } from './listeners/public-places.ts';
import {
  type FromWorker,
  type ListenFailure,
  parseMessage,
  type ToWorker,
  type WorkerReport,
} from './messages.ts';
import type { EdgeSettings } from './settings.ts';
import type { KeyAndCertificate } from './tls/certificates.ts';
import type { WhyLink, WhyQuestion } from './why/why.ts';

export type WorkerLinkDependencies = {
  readonly clock: Clock;
  readonly log: Log;
  readonly certificate: (name: string) => Promise<KeyAndCertificate>;
  /** What is to be open, by the id of its listener. */
  readonly places: ReadonlyMap<string, Place>;
  /** This worker cannot open a listener, for people. */
  readonly onNotOpen: (listener: string, problem: string) => void;
  /** What session tickets are made with, base64. */
  readonly ticketKey: () => string;
  /** The worker died; another one is on its way and will get the whole Directory by itself. */
  readonly onCrash: () => void;
};

/**
 * Requests leave little behind: with a nursery of 4 MB instead of 8 a request costs 2 % more CPU time, and a worker of 10,000 hosts has
 * 124 MB instead of 140. Collecting so little by several threads would cost another 1 %.
 */
const runtimeArgs = [
  '--max-semi-space-size=8',
  '--no-parallel-scavenge',
  '--disable-warning=ExperimentalWarning',
];

type Waiter<T> = { readonly resolve: (value: T) => void; readonly reject: (error: Error) => void };

/** The control side of one worker process: keeps it alive, keeps its Directory up to date, asks it questions. */
export class WorkerLink implements Part {
  readonly #dependencies: WorkerLinkDependencies;
  readonly #child: SupervisedChild;
  /** What the present worker was sent last; undefined: nothing yet. */
  #sent: Directory | undefined;
  #wanted: Directory | undefined;
  #lastId = 0;
  #stopped = false;
  readonly #opens = new Map<string, () => void>();
  readonly #applies = new Map<number, Waiter<number>>();
  readonly #whys = new Map<number, (links: readonly WhyLink[] | undefined) => void>();
  readonly #reports = new Map<number, Waiter<WorkerReport | undefined>>();
  #listening = readiness();

  constructor(dependencies: WorkerLinkDependencies, settings: Partial<EdgeSettings>) {
    this.#dependencies = dependencies;
    this.#child = new SupervisedChild({
      name: 'edge worker',
      entry: new URL('./worker.ts', import.meta.url),
      args: [JSON.stringify(settings)],
      clock: dependencies.clock,
      log: dependencies.log,
      onMessage: (raw) => this.#receive(parseMessage<FromWorker>(raw)),
      onStart: () => this.#started(),
      onCrash: () => this.#crashed(),
      ...(settings.accessLog?.file === '-' ? { output: 1 } : {}),
      graceMs: 3_000,
      runtimeArgs,
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the worker listens; with a Directory in force before it does, where one is given. Throws PortInUse. */
  async start(directory?: Directory): Promise<void> {
    this.#stopped = false;
    this.#wanted ??= directory;
    await this.#child.start();
    try {
      await this.#listening.promise;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#child.stop();
    for (const waiter of this.#applies.values()) waiter.reject(stoppedError());
    this.#applies.clear();
    this.#forgetReports();
    this.#sent = undefined;
    this.#listening = readiness();
  }

  /** Another one has taken over: lets its clients go, and resolves when it is gone. */
  async leave(): Promise<void> {
    this.#send({ kind: 'leave' });
    await this.#child.letEnd();
    await this.stop();
  }

  /** Resolves with the revision in force; waits for the next worker when the present one dies meanwhile. */
  apply(directory: Directory, delta: DirectoryDelta | undefined): Promise<number> {
    if (this.#stopped) return Promise.reject(stoppedError());
    this.#wanted = directory;
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#applies.set(id, { resolve, reject });
    this.#sendDirectory(id, delta);
    return promise;
  }

  /**
   * Opens a listener, with its socket, or changes what an open one does, without. Resolves when the worker has done so, or cannot;
   * the next worker gets all places by itself.
   */
  async open(place: Place, { withSocket }: { readonly withSocket: boolean }): Promise<void> {
    const { listener, socket } = place;
    const message = { kind: 'open', listener } satisfies ToWorker;
    if (!this.#child.send(message, withSocket ? socket?.handle : undefined)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opens.get(listener.id)?.();
    this.#opens.set(listener.id, resolve);
    await promise;
  }

  shut(listener: string): void {
    this.#send({ kind: 'shut', listener });
  }

  /** To be called when the key is another one. */
  sendTicketKey(): void {
    this.#send({ kind: 'ticket-key', key: this.#dependencies.ticketKey() });
  }

  /** `full`: with its counters. Undefined when there is no worker to ask: then nothing is in flight. */
  report({ full }: { readonly full: boolean }): Promise<WorkerReport | undefined> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<WorkerReport | undefined>();
    if (!this.#send({ kind: 'report', id, full })) return Promise.resolve(undefined);
    this.#reports.set(id, { resolve, reject });
    return promise;
  }

  /** Undefined when there is no worker to ask. */
  why(question: WhyQuestion): Promise<readonly WhyLink[] | undefined> {
    const id = ++this.#lastId;
    if (!this.#send({ kind: 'why', id, question })) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#whys.set(id, resolve));
  }

  #started(): void {
    this.#sent = undefined;
    this.sendTicketKey();
    // Before the sockets: a worker that serves without routes would turn requests away.
    if (this.#wanted !== undefined) this.#sendDirectory(this.#lastId);
    for (const place of this.#dependencies.places.values()) void this.open(place, { withSocket: true });
    this.#send({ kind: 'serve' });
  }

  #crashed(): void {
    this.#sent = undefined;
    this.#listening = readiness();
    this.#forgetReports();
    this.#dependencies.onCrash();
  }

  #sendDirectory(id: number, given?: DirectoryDelta): void {
    const directory = this.#wanted!;
    const fits = given?.from === this.#sent?.revision && given?.revision === directory.revision;
    const delta = given !== undefined && fits ? given : deltaFrom(this.#sent, directory);
    if (this.#send({ kind: 'apply', id, delta })) this.#sent = directory;
  }

  #send(message: ToWorker): boolean {
    return this.#child.send(message);
  }

  #receive(message: FromWorker | undefined): void {
    switch (message?.kind) {
      case 'listening':
        this.#listening.resolve();
        return;
      case 'cannot-listen':
        this.#listening.reject(listenError(message.failure));
        return;
      case 'opened':
        this.#opened(message.listener);
        return;
      case 'not-open':
        this.#opened(message.listener);
        this.#dependencies.onNotOpen(message.listener, message.problem);
        return;
      case 'applied':
        this.#settleApplies(message.id, message.revision);
        return;
      case 'report':
        this.#reports.get(message.id)?.resolve(message.report);
        this.#reports.delete(message.id);
        return;
      case 'why':
        this.#whys.get(message.id)?.(message.links);
        this.#whys.delete(message.id);
        return;
      case 'certificate':
        void this.#certify(message.name);
    }
  }

  /** Messages are applied in order, so an answer settles everything asked before it too. */
  #settleApplies(id: number, revision: number): void {
    for (const [asked, waiter] of this.#applies) {
      if (asked > id) continue;
      this.#applies.delete(asked);
      waiter.resolve(revision);
    }
  }

  async #certify(name: string): Promise<void> {
    try {
      this.#send({ kind: 'certificate', name, ...(await this.#dependencies.certificate(name)) });
    } catch (error) {
      const reason = errorText(error);
      this.#dependencies.log.error('edge: cannot issue a certificate', { name, error: reason });
      this.#send({ kind: 'no-certificate', name, reason });
    }
  }

  #opened(listener: string): void {
    this.#opens.get(listener)?.();
    this.#opens.delete(listener);
  }

  #forgetReports(): void {
    for (const id of [...this.#opens.keys()]) this.#opened(id);
    for (const waiter of this.#reports.values()) waiter.resolve(undefined);
    this.#reports.clear();
    for (const resolve of this.#whys.values()) resolve(undefined);
    this.#whys.clear();
  }
}

/** A restarted worker's readiness is nobody's to wait for, so its failure must not count as unhandled. */
function readiness(): PromiseWithResolvers<void> {
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  return ready;
}

function deltaFrom(sent: Directory | undefined, directory: Directory): DirectoryDelta {
  if (sent === undefined) return snapshotDelta(directory);
  return deltaBetween(sent, directory) ?? { from: sent.revision, revision: directory.revision };
}

function stoppedError(): WeirError {
  return new WeirError('WEIR_EDGE_STOPPED', 'Cannot apply routes: the edge was stopped');
}

function listenError(failure: ListenFailure): Error {
  if (failure.code === 'WEIR_PORT_IN_USE') return new PortInUse(failure);
  return new WeirError(failure.code, failure.message);
}
