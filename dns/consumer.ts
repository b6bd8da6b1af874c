import { setImmediate as otherWork } from 'node:timers/promises';
import type { Clock } from '../core/kit/clock.ts';
import { errorText } from '../core/kit/errors.ts';
import { type ListenAddress, listenError } from '../core/kit/listen.ts';
import type { Log } from '../core/kit/log.ts';
import type { Part } from '../core/kit/part.ts';
import type { DirectoryConsumer } from '../core/model/consumer.ts';
import { type Directory, type DirectoryDelta, snapshotDelta } from '../core/model/directory.ts';
import type { SocketChoice } from './choose-sockets.ts';
import { type WorkerConfig, workerArgument } from './config.ts';
import { partsOf, withoutParts } from './delta-parts.ts';
import type { Explanation } from './explain.ts';
import type { HttpReply } from './http-reply.ts';
import {
  defaultForwardOptions,
  defaultServerOptions,
  defaultZoneOptions,
  type ForwardOptions,
  type ServerOptions,
  type ZoneOptions,
} from './options.ts';
import type { PlainReply } from './plain-reply.ts';
import type { NameAndType, Refusal } from './protocol.ts';
import type { QueryReport } from './query-log.ts';
import type { SecureBound, SecureListen } from './secure/secure.ts';
import { WorkerFailed, WorkerLink } from './worker-link.ts';

export type DnsParts = { readonly clock: Clock; readonly log: Log };

export type DnsOptions = {
  /** Each UDP and TCP. */
  readonly listen: readonly ListenAddress[];
  readonly zone?: Partial<ZoneOptions>;
  readonly server?: Partial<ServerOptions>;
  /** Default `auto`. All are `plain` where the runtime cannot do better. */
  readonly sockets?: SocketChoice;
  /** Absent: what is not ours is refused. */
  readonly forward?: Partial<ForwardOptions>;
};

const recoveryRetryMs = 100;
const startWithinMs = 15_000;
const partsOnTheWay = 3;

/**
 * The resolver, seen from the process that has the Directory: a worker process holds sockets and zone, and after a crash
 * gets its addresses and the last Directory again by itself.
 */
export class DnsConsumer implements DirectoryConsumer, Part {
  readonly name = 'dns';
  readonly #parts: DnsParts;
  readonly #link: WorkerLink;
  readonly #resetListeners: (() => void)[] = [];
  #wanted: readonly ListenAddress[];
  #bound: readonly ListenAddress[] = [];
  /** What the present worker has. */
  #inForce: Directory | undefined;
  /** The last one any worker took: what the next one begins with. */
  #last: Directory | undefined;
  #secure: SecureListen | undefined;
  #starting = true;
  /** Counts workers. */
  #generation = 0;
  /** Open from a crash until the next worker has taken over. */
  #recovery: PromiseWithResolvers<void> | undefined;
  #stopped = new AbortController();

  constructor(parts: DnsParts, options: DnsOptions) {
    this.#parts = parts;
    this.#wanted = options.listen;
    this.#link = new WorkerLink({
      name: 'dns worker',
      entry: new URL('./worker.ts', import.meta.url),
      args: [workerArgument(workerConfig(options))],
      runtimeArgs: ['--max-semi-space-size=2', '--disable-warning=ExperimentalWarning'],
      clock: parts.clock,
      log: parts.log,
      onStart: () => this.#workerStarted(),
      onCrash: () => this.#workerCrashed(),
    });
  }

  /** Resolves when every address answers. Throws PortInUse or CannotListen; then nothing of it is left running. */
  async start(): Promise<void> {
    if (!this.#starting) return;
    this.#stopped = new AbortController();
    await this.#link.child.start();
    try {
      await this.#inTime(this.listen(this.#wanted));
      this.#starting = false;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** A worker that runs and never answers must not make the start wait for ever. */
  async #inTime<T>(listening: Promise<T>): Promise<T> {
    const end = new AbortController();
    const late = this.#parts.clock.sleep(startWithinMs, end.signal).then((): never => {
      throw new WorkerFailed('listen', `no answer within ${startWithinMs / 1000} s`);
    });
    late.catch(() => {});
    try {
      return await Promise.race([listening, late]);
    } finally {
      end.abort();
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#starting = true;
    await this.#link.stop();
    this.#recovered();
    this.#bound = [];
    this.#secure = undefined;
    this.#inForce = undefined;
    this.#last = undefined;
  }

  /** Where it listens now, ports filled in, in the order they were asked for. */
  get bound(): readonly ListenAddress[] {
    return this.#bound;
  }

  /** For tests and for people who look: the worker's process id. */
  get workerPid(): number | undefined {
    return this.#link.child.pid;
  }

  /** Makes these all the addresses it listens on. Throws PortInUse or CannotListen; then nothing has changed. */
  async listen(wanted: readonly ListenAddress[]): Promise<readonly ListenAddress[]> {
    const before = new Map(this.#wanted.map((at, index) => [keyOf(at), this.#bound[index]]));
    // an address that was given with port 0 keeps the port it got
    const exact = wanted.map((at) => before.get(keyOf(at)) ?? at);
    const result = await this.#link.call('listen', exact);
    if (result.kind === 'refused') throw refused(result);
    this.#wanted = wanted;
    this.#bound = result.bound;
    return result.bound;
  }

  /** Listens for DNS over TLS and over HTTPS as well; called again, it renews the certificate. Throws as `listen`. */
  async secure(wanted: SecureListen): Promise<SecureBound> {
    const result = await this.#link.call('secure', wanted);
    if (result.kind === 'refused') throw refused(result);
    // a worker after this one gets the same ports
    this.#secure = { ...wanted, ...result.bound };
    return result.bound;
  }

  async apply(directory: Directory, delta: DirectoryDelta | undefined): Promise<number> {
    await this.#recovery?.promise;
    if (directory === this.#inForce) return directory.revision;
    const known = delta !== undefined && this.#inForce?.revision === delta.from;
    // if this fails, nobody knows what the worker has: the next one is sent whole, and takes effect as a whole
    this.#inForce = undefined;
    const revision = await this.#send(known ? delta : snapshotDelta(directory));
    this.#inForce = directory;
    this.#last = directory;
    return revision;
  }

  /** What is large goes in pieces: whoever takes it apart is also the one who answers questions. */
  async #send(delta: DirectoryDelta): Promise<number> {
    const sent: Promise<undefined>[] = [];
    for (const part of partsOf(delta)) {
      const call = this.#link.call('part', part);
      // whether it fails is asked below, perhaps only after it has
      call.catch(() => {});
      sent.push(call);
      await otherWork();
      // not all at once: the worker reads in one go what has arrived
      await sent.at(-partsOnTheWay);
    }
    if (sent.length === 0) return this.#link.call('apply', withoutRoutes(delta));
    const applied = this.#link.call('apply', withoutParts(delta));
    await Promise.all([...sent, applied]);
    return applied;
  }

  /** Called when the worker died: the one after it is given the last Directory, and `apply` waits for that. */
  onReset(listener: () => void): void {
    this.#resetListeners.push(listener);
  }

  /** What a client would be told. `type` as in dig: `A`, `srv`, `TYPE65`. */
  resolve(asked: NameAndType): Promise<PlainReply> {
    return this.#link.call('resolve', asked);
  }

  /** Why it would be told that. */
  explain(asked: NameAndType): Promise<Explanation> {
    return this.#link.call('explain', asked);
  }

  /** The reply of the Mesos-DNS HTTP API to GET of a path; of a long list the page that begins at `from`. */
  mesos(path: string, from?: number): Promise<HttpReply> {
    return this.#link.call('mesos', { path, from });
  }

  /** The same of the DC/OS DNS HTTP API. */
  dcos(path: string, from?: number): Promise<HttpReply> {
    return this.#link.call('dcos', { path, from });
  }

  /** What was asked lately, and who asks most. */
  queries(): Promise<QueryReport> {
    return this.#link.call('queries', undefined);
  }

  /** Prometheus text. */
  metrics(): Promise<string> {
    return this.#link.call('metrics', undefined);
  }

  #workerStarted(): void {
    this.#generation += 1;
    if (!this.#starting) void this.#recover(this.#generation);
  }

  #workerCrashed(): void {
    this.#inForce = undefined;
    this.#recovery ??= Promise.withResolvers();
    for (const listener of this.#resetListeners) listener();
  }

  /** Brings a new worker to where the last one was: first the Directory, so that its first answer is right. */
  async #recover(generation: number): Promise<void> {
    // a further worker has its own recovery
    const ended = () => this.#stopped.signal.aborted || generation !== this.#generation;
    const last = this.#last;
    try {
      if (last !== undefined) await this.#send(snapshotDelta(last));
      this.#inForce = last;
    } catch (error) {
      if (ended()) return;
      this.#parts.log.error('dns: the new worker did not take the Directory', { error: errorText(error) });
    }
    await this.#listenAgain(ended);
  }

  async #listenAgain(ended: () => boolean): Promise<void> {
    const { clock, log } = this.#parts;
    while (!ended()) {
      try {
        await this.listen(this.#wanted);
        if (this.#secure !== undefined) await this.secure(this.#secure);
        return this.#recovered();
      } catch (error) {
        if (ended()) return;
        this.#recovered();
        log.error('dns: the new worker cannot listen yet, trying again', { error: errorText(error) });
        await clock.sleep(recoveryRetryMs, this.#stopped.signal).catch(() => {});
      }
    }
  }

  #recovered(): void {
    this.#recovery?.resolve();
    this.#recovery = undefined;
  }
}

/** Who asks at our own addresses must find the name server there. */
function workerConfig(options: DnsOptions): WorkerConfig {
  const own = options.listen.map((at) => at.address).filter((at) => at !== '0.0.0.0' && at !== '::');
  const nameserver = own.length > 0 ? { nameserver: [...new Set(own)] } : {};
  return {
    zone: { ...defaultZoneOptions, ...nameserver, ...options.zone },
    server: { ...defaultServerOptions, ...options.server },
    sockets: options.sockets ?? 'auto',
    ...(options.forward && { forward: { ...defaultForwardOptions, ...options.forward } }),
  };
}

/** Names have no use for them. */
function withoutRoutes({ routes: _, ...delta }: DirectoryDelta): DirectoryDelta {
  return delta;
}

function refused({ at, protocol, code, message }: Refusal): Error {
  return listenError(at, protocol, Object.assign(new Error(message), { code }));
}

function keyOf(at: ListenAddress): string {
  return `${at.address} ${at.port}`;
}
