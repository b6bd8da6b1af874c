import type { ClientHttp2Session } from 'node:http2';
import type { Clock } from '../../../core/kit/clock.ts';
import type { Deadlined, Deadlines } from '../deadlines.ts';
import type { PoolEndpoint } from '../route-table.ts';

export type SessionContext = { readonly clock: Clock; readonly deadlines: Deadlines };

const never = Number.POSITIVE_INFINITY;
/** An HTTP/2 connection without a stream is kept so long. */
const idleMs = 60_000;
/** Until an endpoint says how many streams it takes. */
const usualStreams = 100;
const windowBytes = 1_048_576;

/** One HTTP/2 connection to an endpoint, shared by many exchanges. */
export class UpstreamSession implements Deadlined {
  deadlineAt = never;
  readonly #context: SessionContext;
  readonly #ready: Promise<ClientHttp2Session>;
  #session: ClientHttp2Session | undefined;
  #connected = false;
  #streams = 0;
  #over = false;

  constructor(context: SessionContext, endpoint: PoolEndpoint) {
    this.#context = context;
    this.#ready = this.#connect(endpoint);
    this.#ready.catch(() => {});
    context.deadlines.add(this);
  }

  /** Resolves with the connected session; rejects when the endpoint does not take connections. */
  get ready(): Promise<ClientHttp2Session> {
    return this.#ready;
  }

  /** The session, once it is connected. */
  get session(): ClientHttp2Session | undefined {
    return this.#connected ? this.#session : undefined;
  }

  /** Takes another stream. */
  get hasRoom(): boolean {
    const { maxConcurrentStreams = usualStreams } = this.#session?.remoteSettings ?? {};
    return !this.#over && this.#session?.closed !== true && this.#streams < maxConcurrentStreams;
  }

  get over(): boolean {
    return this.#over;
  }

  enter(): void {
    this.#streams++;
    this.deadlineAt = never;
  }

  leave(): void {
    if (--this.#streams === 0) this.deadlineAt = this.#context.clock.now() + idleMs;
  }

  /** Ends with its last stream. */
  close(): void {
    this.#over = true;
    this.#session?.close();
  }

  overdue(): void {
    this.deadlineAt = never;
    this.close();
  }

  async #connect({ address, port }: PoolEndpoint): Promise<ClientHttp2Session> {
    const { connect } = await import('node:http2');
    const host = address.includes(':') ? `[${address}]` : address;
    const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>();
    const settings = { enablePush: false };
    const session = connect(`http://${host}:${port}`, { settings, maxReservedRemoteStreams: 0 });
    this.#session = session;
    session.on('error', reject);
    session.on('goaway', () => {
      this.#over = true;
    });
    session.on('close', () => {
      this.#over = true;
      this.#context.deadlines.delete(this);
      reject(new Error('closed'));
    });
    session.once('connect', () => {
      session.setLocalWindowSize(windowBytes);
      this.#connected = true;
      resolve(session);
    });
    return promise;
  }
}

/** The HTTP/2 connections of one endpoint. */
export class UpstreamSessions {
  readonly #context: SessionContext;
  readonly #endpoint: PoolEndpoint;
  #sessions: UpstreamSession[] = [];

  constructor(context: SessionContext, endpoint: PoolEndpoint) {
    this.#context = context;
    this.#endpoint = endpoint;
  }

  /** One with room for another stream, or a new one. */
  choose(): UpstreamSession {
    this.#sessions = this.#sessions.filter((session) => !session.over);
    const roomy = this.#sessions.find((session) => session.hasRoom);
    if (roomy !== undefined) return roomy;
    const session = new UpstreamSession(this.#context, this.#endpoint);
    this.#sessions.push(session);
    return session;
  }

  close(): void {
    for (const session of this.#sessions.splice(0)) session.close();
  }
}
