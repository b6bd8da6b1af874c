import type { Listener } from '../../../core/model/listener.ts';
import type { EdgeContext } from '../context.ts';
import type { Front } from '../front.ts';
import type { ProxyEnds } from '../proxy/proxy-header.ts';
import { Attempts } from '../request/attempts.ts';
import { Tunnel } from '../request/tunnel.ts';
import type { Connection } from '../upstream/upstream.ts';
import type { UpstreamUser } from '../upstream/upstream-connection.ts';
import type { Deadlined } from '../wire/deadlines.ts';
import type { Wire, WireUser } from '../wire/wire.ts';
import type { ListenerTally } from './listener-tally.ts';
import { StreamRecord } from './stream-record.ts';
import { type StreamQuestion, type StreamRoute, streamRoute } from './stream-route.ts';

export type StreamOptions = {
  readonly open: (user: WireUser) => Wire;
  /** Without the client's address: that is said by `endsOf`. */
  readonly question: Omit<StreamQuestion, 'address'>;
  /** As the connection has them, or as a proxy says. */
  readonly endsOf: (wire: Wire) => ProxyEnds;
  /** What came from the client already. */
  readonly first: Buffer | undefined;
  readonly idleMs: number;
  readonly tally: ListenerTally;
  readonly listener: Pick<Listener, 'id' | 'protocol'>;
  readonly onClosed: (connection: StreamConnection) => void;
};

const never = Number.POSITIVE_INFINITY;

/** One client's TCP connection on its way to an endpoint: nothing is read of it before an endpoint has taken it. */
export class StreamConnection implements Front, WireUser, Deadlined {
  readonly wire: Wire;
  deadlineAt = never;
  readonly #context: EdgeContext;
  readonly #options: StreamOptions;
  readonly #target: StreamRoute;
  readonly #dialing: Dialing | undefined;
  readonly #record: StreamRecord | undefined;
  #tunnel: Tunnel | undefined;
  #lastAt = never;
  #ended = false;

  constructor(context: EdgeContext, options: StreamOptions) {
    this.#context = context;
    this.#options = options;
    this.wire = options.open(this);
    this.wire.pause();
    const ends = options.endsOf(this.wire);
    const { address } = ends.source;
    this.#target = streamRoute(context, { ...options.question, address });
    this.#record = this.#begun(address);
    context.deadlines.add(this);
    if (this.#target.kind === 'refuse') this.#refuse(this.#target.why);
    else
      this.#dialing = new Dialing(context, this.#target, {
        ends,
        onConnected: (connection) => this.#begin(connection),
        onFailed: () => this.#refuse('no endpoint takes it'),
      });
    this.#dialing?.next();
  }

  leave(withinMs: number): void {
    this.close(withinMs);
  }

  close(withinMs: number): void {
    this.#lastAt = Math.min(this.#lastAt, this.#context.clock.now() + withinMs);
    this.deadlineAt = Math.min(this.deadlineAt, this.#lastAt);
  }

  drain(routes: ReadonlySet<string>, withinMs: number): void {
    if (this.#target.kind === 'forward' && routes.has(this.#target.route.id)) this.close(withinMs);
  }

  destroy(): void {
    this.wire.destroy();
  }

  bytes(buffer: Buffer, length: number): void {
    this.#tunnel?.clientBytes(buffer, 0, length);
  }

  ended(): void {
    this.#ended = true;
    this.#tunnel?.clientEnded();
  }

  drained(): void {
    this.#tunnel?.clientDrained();
  }

  closed(): void {
    this.#context.deadlines.delete(this);
    this.#dialing?.abort();
    this.#tunnel?.clientClosed();
    if (this.#target.kind === 'forward') this.#target.lease?.end();
    this.#record?.end();
    this.#options.onClosed(this);
  }

  overdue(): void {
    this.wire.reset();
  }

  #begin(connection: Connection): void {
    const { first, idleMs, tally } = this.#options;
    const { clock } = this.#context;
    const { upstream } = connection;
    upstream.streams.connections++;
    const record = this.#record;
    if (record !== undefined) {
      record.endpoint = upstream.endpoint;
      record.connectMs = Math.max(0, clock.now() - record.begunAt);
    }
    const touch = (bytes: number, fromClient: boolean) => {
      this.deadlineAt = Math.min(clock.now() + idleMs, this.#lastAt);
      record?.count(bytes, fromClient);
      if (fromClient) {
        tally.bytesIn += bytes;
        upstream.streams.bytesIn += bytes;
      } else {
        tally.bytesOut += bytes;
        upstream.streams.bytesOut += bytes;
      }
    };
    touch(0, true);
    this.#tunnel = new Tunnel(
      this.#context,
      { client: this.wire, upstream: connection },
      { touch, ended: () => {} },
    );
    if (first !== undefined) this.#tunnel.clientBytes(first, 0, first.length);
    if (this.#ended) this.#tunnel.clientEnded();
    // Otherwise it is resumed when the endpoint has taken what it was given.
    if (!connection.wire.congested) this.wire.resume();
  }

  #begun(client: string): StreamRecord | undefined {
    const { accessLog: log, clock } = this.#context;
    if (log === undefined) return undefined;
    const { listener, question } = this.#options;
    const scheme = listener.protocol === 'tcp' ? 'tcp' : 'tls';
    const { serverName } = question;
    const now = clock.now();
    const record = new StreamRecord({ log, listener: listener.id, scheme, client, serverName, now });
    if (this.#target.kind === 'forward') record.route = this.#target.route.id;
    return record;
  }

  #refuse(why: string): void {
    if (this.#record !== undefined) this.#record.why = why;
    this.#options.tally.refused++;
    this.wire.reset();
  }
}

type DialOptions = {
  /** Of the client's connection. */
  readonly ends: ProxyEnds;
  readonly onConnected: (connection: Connection) => void;
  /** No endpoint took it. */
  readonly onFailed: () => void;
};

/** Looks for an endpoint that takes a connection: one after the other, as for a request. */
class Dialing implements UpstreamUser {
  readonly #context: EdgeContext;
  readonly #attempts: Attempts;
  readonly #connectMs: number;
  readonly #options: DialOptions;
  #connection: Connection | undefined;

  constructor(
    context: EdgeContext,
    { route, poolKey }: Extract<StreamRoute, { kind: 'forward' }>,
    options: DialOptions,
  ) {
    const routeOptions = route.policy?.options ?? {};
    const { ends } = options;
    const balance = { hashKey: ends.source.address };
    this.#context = context;
    this.#options = options;
    this.#connectMs = routeOptions.timeouts?.connectMs ?? context.settings.connectMs;
    this.#attempts = new Attempts(context, {
      poolKey,
      balance,
      edits: undefined,
      options: routeOptions,
      ends: () => ends,
    });
  }

  next(): void {
    const connection = this.#attempts.next(true);
    this.#connection = connection;
    if (connection === undefined) {
      this.#options.onFailed();
      return;
    }
    connection.user = this;
    connection.deadlineAt = this.#context.clock.now() + this.#connectMs;
  }

  /** Nobody wants it any more. */
  abort(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    connection.user = undefined;
    this.#attempts.settle(connection, 'failed');
    connection.destroy();
  }

  connected(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#options.onConnected(connection);
  }

  overdue(): void {
    this.closed();
  }

  /** The endpoint did not take it. */
  closed(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#attempts.refused(connection);
    this.abort();
    this.next();
  }

  bytes(): void {}
  ended(): void {}
  drained(): void {}
}
