import type { PoolEndpoint } from '../routes/route-table.ts';
import type { Deadlined } from '../wire/deadlines.ts';
import type { Pipe } from '../wire/pipe.ts';
import type { WireUser } from '../wire/wire.ts';
import type { UpstreamContext } from './upstream-context.ts';

/** Who uses a connection to an endpoint for the time of one exchange or tunnel. */
export interface UpstreamUser extends WireUser {
  connected(): void;
  overdue(): void;
}

/** The endpoint a connection belongs to. */
export interface ConnectionOwner<Owner extends ConnectionOwner<Owner>> {
  readonly endpoint: PoolEndpoint;
  /** Opens a connection, or a stream of one; `connected` may be called at once. `preamble` is sent before all else. */
  dial(user: WireUser, connected: () => void, preamble: string): Pipe;
  /** The connection can carry another exchange. */
  keep(connection: UpstreamConnection<Owner>): void;
  forget(connection: UpstreamConnection<Owner>): void;
  /** A connect succeeded. */
  reached(): void;
}

/** A connection to an endpoint. Between two exchanges it belongs to nobody: whatever happens to it then closes it. */
export class UpstreamConnection<Owner extends ConnectionOwner<Owner>> implements WireUser, Deadlined {
  readonly upstream: Owner;
  readonly wire: Pipe;
  user: UpstreamUser | undefined;
  deadlineAt: number;
  ready = false;
  /** It has carried an exchange before, so the endpoint may close it at any moment. */
  reused = false;
  readonly #context: UpstreamContext;

  constructor(context: UpstreamContext, upstream: Owner, preamble = '') {
    this.#context = context;
    this.upstream = upstream;
    this.deadlineAt = context.clock.now() + context.settings.connectMs;
    this.wire = upstream.dial(this, () => this.#connected(), preamble);
    context.deadlines.add(this);
  }

  /** Ends the exchange; an idle connection waits for the next one at most `idleMs`. */
  release(options: { readonly reusable: boolean; readonly idleMs: number }): void {
    this.user = undefined;
    if (!options.reusable || options.idleMs <= 0 || !this.wire.open) {
      this.destroy();
      return;
    }
    this.reused = true;
    this.deadlineAt = this.#context.clock.now() + options.idleMs;
    this.wire.resume();
    this.upstream.keep(this);
  }

  destroy(): void {
    this.wire.destroy();
  }

  bytes(buffer: Buffer, length: number): void {
    if (this.user === undefined) this.#drop();
    else this.user.bytes(buffer, length);
  }

  ended(): void {
    if (this.user === undefined) this.#drop();
    else this.user.ended();
  }

  drained(): void {
    this.user?.drained();
  }

  closed(): void {
    this.#context.deadlines.delete(this);
    if (this.user === undefined) this.upstream.forget(this);
    else this.user.closed();
  }

  overdue(): void {
    if (this.user === undefined) this.#drop();
    else this.user.overdue();
  }

  #connected(): void {
    this.ready = true;
    this.deadlineAt = Number.POSITIVE_INFINITY;
    this.upstream.reached();
    this.user?.connected();
  }

  /** Taken out at once, not on 'close': between the two it could be chosen. */
  #drop(): void {
    this.upstream.forget(this);
    this.destroy();
  }
}
