import type { ClientHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { PoolEndpoint } from '../routes/route-table.ts';
import type { UpstreamContext } from '../upstream/upstream-context.ts';
import { type TlsDial, tlsSocket } from '../upstream/upstream-tls.ts';
import type { Deadlined } from '../wire/deadlines.ts';

export type SessionContext = Pick<UpstreamContext, 'clock' | 'deadlines' | 'certificate'>;

/** Which link to an endpoint is broken, for people. */
type Failed = (why: string) => void;

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
  /** While TLS is agreed on. */
  #securing: TLSSocket | undefined;
  #connected = false;
  #streams = 0;
  #over = false;

  constructor(context: SessionContext, endpoint: PoolEndpoint, failed: Failed) {
    this.#context = context;
    this.#ready = this.#connect(endpoint, failed);
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

  /** Ends at once, connected or not. */
  abandon(): void {
    this.#over = true;
    this.#session?.destroy();
    this.#securing?.destroy();
  }

  overdue(): void {
    this.deadlineAt = never;
    this.close();
  }

  async #connect(endpoint: PoolEndpoint, failed: Failed): Promise<ClientHttp2Session> {
    const { address, port, tls } = endpoint;
    const { connect } = await import('node:http2');
    const host = address.includes(':') ? `[${address}]` : address;
    const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>();
    const options = { settings: { enablePush: false }, maxReservedRemoteStreams: 0 };
    const socket = tls && (await this.#secured({ endpoint, tls, failed }));
    const session =
      socket === undefined
        ? connect(`http://${host}:${port}`, options)
        : connect(`https://${host}:${port}`, { ...options, createConnection: () => socket });
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

  /** TLS and the agreement on HTTP/2 come first: node:http2 does not survive a socket that ends meanwhile. */
  async #secured(to: Pick<TlsDial, 'endpoint' | 'tls' | 'failed'>): Promise<TLSSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = tlsSocket(this.#context, { ...to, connected: resolve, preamble: '' }, 'h2');
    const gone = () => {
      this.#over = true;
      this.#context.deadlines.delete(this);
      reject(new Error('closed'));
    };
    this.#securing = socket;
    socket.on('error', () => {});
    socket.once('close', gone);
    await promise;
    this.#securing = undefined;
    socket.off('close', gone);
    if (!this.#over && !socket.destroyed) return socket;
    socket.destroy();
    throw new Error('closed');
  }
}

/** The HTTP/2 connections of one endpoint. */
export class UpstreamSessions {
  readonly #context: SessionContext;
  readonly #endpoint: PoolEndpoint;
  readonly #failed: Failed;
  #sessions: UpstreamSession[] = [];

  constructor(context: SessionContext, endpoint: PoolEndpoint, failed: Failed) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#failed = failed;
  }

  /** One with room for another stream, or a new one. */
  choose(): UpstreamSession {
    this.#sessions = this.#sessions.filter((session) => !session.over);
    const roomy = this.#sessions.find((session) => session.hasRoom);
    if (roomy !== undefined) return roomy;
    const session = new UpstreamSession(this.#context, this.#endpoint, this.#failed);
    this.#sessions.push(session);
    return session;
  }

  close(): void {
    for (const session of this.#sessions.splice(0)) session.close();
  }
}
