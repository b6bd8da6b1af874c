import type { UpstreamTls } from '../../../core/model/route.ts';
import type { Candidate } from '../../balancer.ts';
import { cookieOf, serverName } from '../../server-name.ts';
import { UpstreamPipe } from '../http2/upstream-pipe.ts';
import { UpstreamSessions } from '../http2/upstream-session.ts';
import type { PoolEndpoint } from '../routes/route-table.ts';
import { RouteTally } from '../telemetry/route-tally.ts';
import type { Pipe } from '../wire/pipe.ts';
import { connectedWire, type WireUser } from '../wire/wire.ts';
import type { Suspect } from './outliers.ts';
import { type ConnectionOwner, UpstreamConnection } from './upstream-connection.ts';
import type { UpstreamContext } from './upstream-context.ts';
import { tlsWire } from './upstream-tls.ts';

const firstEjectionMs = 1_000;
const lastEjectionMs = 30_000;

export type Connection = UpstreamConnection<Upstream>;

/** One endpoint as the data path knows it: its connections, its load, whether it could be reached. */
export class Upstream implements Candidate, Suspect, ConnectionOwner<Upstream> {
  readonly endpoint: PoolEndpoint;
  readonly key: string;
  /** Requests and tunnels it carries now. */
  inFlight = 0;
  /** How many pools of the table in force name it. */
  pools = 0;
  /** It is in no pool any more: nothing new goes there and no connection is kept. */
  retired = false;
  /** Not chosen before this time (ms since the epoch) while others can be. */
  ejectedUntil = 0;
  faultStreak = 0;
  /** When it came (ms since the epoch). */
  readonly knownSince: number;
  /** It joined others that were there already, at this time (ms since the epoch); 0: it did not. */
  joinedAt = 0;
  connectFailures = 0;
  readonly tally: RouteTally;
  /** What was carried there that is not HTTP: connections or flows, bytes from clients and to them. */
  readonly streams = { connections: 0, bytesIn: 0, bytesOut: 0 };
  /** What went wrong here last, at a time in ms since the epoch. */
  lastFault: { readonly at: number; readonly what: string } | undefined;
  readonly #context: UpstreamContext;
  readonly #idle: Connection[] = [];
  #sessions: UpstreamSessions | undefined;
  #refusals = 0;
  /** Why the last attempt over TLS failed, until that is told. */
  #dialFault: string | undefined;
  #cookie: string | undefined;

  constructor(context: UpstreamContext, endpoint: PoolEndpoint) {
    this.#context = context;
    this.endpoint = endpoint;
    this.key = endpoint.key;
    this.tally = new RouteTally(endpoint.key);
    this.knownSince = context.clock.now();
  }

  /** Names it in the cookie of clients that stay with it. */
  get cookie(): string {
    this.#cookie ??= this.endpoint.cookie ?? cookieOf(serverName(this.endpoint));
    return this.#cookie;
  }

  /** An idle connection, the most recently used one first, or a new one; always a new one if it is to begin with `preamble`. */
  open(fresh: boolean, preamble = ''): Connection {
    const idle = fresh || preamble !== '' ? undefined : this.#idle.pop();
    return idle ?? new UpstreamConnection(this.#context, this, preamble);
  }

  dial(user: WireUser, connected: () => void, preamble: string): Pipe {
    if (this.endpoint.protocol !== undefined) {
      this.#sessions ??= new UpstreamSessions(this.#context, this.endpoint, this.#failedDial);
      return new UpstreamPipe(this.#sessions.choose(), user, connected);
    }
    const { tls } = this.endpoint;
    if (tls !== undefined) return this.#dialTls(tls, { user, connected, preamble });
    const wire = connectedWire(this.endpoint, this.#context.scratch, user);
    wire.socket.once('connect', () => {
      wire.write(preamble);
      connected();
    });
    return wire;
  }

  #dialTls(
    tls: UpstreamTls,
    { user, connected, preamble }: { user: WireUser; connected: () => void; preamble: string },
  ): Pipe {
    const { endpoint } = this;
    return tlsWire(this.#context, user, { endpoint, tls, connected, failed: this.#failedDial, preamble });
  }

  readonly #failedDial = (why: string): void => {
    this.#dialFault = why;
  };

  keep(connection: Connection): void {
    if (this.retired) connection.destroy();
    else this.#idle.push(connection);
  }

  forget(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** A connect failed: others are preferred for a while that doubles with each further failure. */
  refused(): void {
    this.connectFailures++;
    this.failed(this.#dialFault ?? 'it did not take the connection');
    this.#dialFault = undefined;
    const ms = Math.min(lastEjectionMs, firstEjectionMs * 2 ** this.#refusals);
    if (this.ejectedUntil <= this.#context.clock.now()) this.#refusals++;
    this.eject(ms);
  }

  failed(what: string): void {
    this.lastFault = { at: this.#context.clock.now(), what };
  }

  /** Others are preferred for so long. */
  eject(ms: number): void {
    this.ejectedUntil = this.#context.clock.now() + ms;
    this.#context.counters.ejections++;
  }

  /** A connect succeeded: an ejection for refusing is over, one for bad answers is not. */
  reached(): void {
    if (this.#refusals === 0) return;
    this.#refusals = 0;
    this.ejectedUntil = 0;
  }

  retire(): void {
    this.retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
    this.#sessions?.close();
    this.#sessions = undefined;
  }
}
