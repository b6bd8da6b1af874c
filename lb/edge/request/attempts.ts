import type { RouteOptions } from '../../../core/model/route.ts';
import type { BalanceRequest, Outcome } from '../../balancer.ts';
import type { EdgeContext } from '../context.ts';
import { type ProxyEnds, renderProxyHeader } from '../proxy/proxy-header.ts';
import { observe } from '../upstream/outliers.ts';
import type { Connection, Upstream } from '../upstream/upstream.ts';
import { type BoundPool, pick } from '../upstream/upstreams.ts';
import type { AnswerEdits } from './forward.ts';

export type AttemptOptions = {
  readonly poolKey: string;
  readonly balance: BalanceRequest;
  readonly edits: AnswerEdits | undefined;
  readonly options: RouteOptions;
  /** Where the client's connection comes from and went to. */
  readonly ends: (() => ProxyEnds) | undefined;
};

const maxRefusals = 4;

/** The endpoints one request is tried at: chooses the next, and knows when it is enough. */
export class Attempts {
  readonly #context: EdgeContext;
  readonly #options: AttemptOptions;
  #pool: BoundPool | undefined;
  #tried: Set<Upstream> | undefined;
  #refusals = 0;
  #losses = 0;

  constructor(context: EdgeContext, options: AttemptOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** A connection to an endpoint that was not tried yet; undefined: there is none, or enough have refused. */
  next(fresh: boolean): Connection | undefined {
    const { upstreams, clock, settings } = this.#context;
    const { poolKey, balance, edits } = this.#options;
    const sticky = edits?.sticky?.sent;
    if (this.#refusals > maxRefusals) return undefined;
    const pool = upstreams.pool(poolKey);
    if (this.#pool === undefined) pool?.retries.earn(this.#budget);
    this.#pool = pool;
    const options = { tried: this.#tried, now: clock.now(), sticky, slowStartMs: settings.slowStartMs };
    const upstream = pool && pick(pool, balance, options);
    if (upstream === undefined) return undefined;
    upstreams.enter(upstream);
    return upstream.open(fresh, this.#preamble());
  }

  /** Connections of this request are for its client only. */
  get areOwn(): boolean {
    return this.#options.options.sendProxy !== undefined;
  }

  #preamble(): string {
    const { options, ends } = this.#options;
    return options.sendProxy === undefined || ends === undefined
      ? ''
      : renderProxyHeader(options.sendProxy, ends());
  }

  /** Some endpoint was tried already. */
  get begun(): boolean {
    return this.#tried !== undefined;
  }

  /** The endpoint did not take the connection. */
  refused(connection: Connection): void {
    this.#context.counters.connectFailures++;
    if (++this.#refusals <= maxRefusals) this.#context.counters.retries++;
    connection.upstream.refused();
    this.#exclude(connection);
  }

  /** A connection was lost before a byte of an answer came. Whether the request, which may be repeated, is to be sent once more. */
  mayRepeat(connection: Connection): boolean {
    // A kept connection may have been closed just when we wrote; a new one that is lost is given a second chance once.
    if (connection.reused) return true;
    return this.#losses < this.#most && this.#pool?.retries.spend() === true;
  }

  /** An answer came of which the route says that it is worth another try. Whether there is one, elsewhere. */
  mayRepeatAfter(status: number, { upstream }: Connection): boolean {
    const { statuses = [] } = this.#options.options.retries ?? {};
    if (!statuses.includes(status) || this.#losses >= this.#most) return false;
    const isLeft = (other: Upstream) => other !== upstream && this.#tried?.has(other) !== true;
    return this.#pool?.upstreams.some(isLeft) === true && this.#pool.retries.spend();
  }

  /** It is sent once more: elsewhere, unless the connection was just too old. */
  repeats(connection: Connection, { lost }: { readonly lost: boolean }): void {
    this.#context.counters.retries++;
    if (lost && connection.reused) return;
    this.#losses++;
    this.#exclude(connection);
  }

  /** Whatever a client gets to see as 5xx through an endpoint is a fault of it. */
  observe(connection: Connection, fault: boolean): void {
    const { upstream } = connection;
    if (this.#pool === undefined) return;
    if (fault || upstream.faultStreak > 0)
      observe(this.#pool, upstream, { fault, now: this.#context.clock.now() });
  }

  settle(connection: Connection, outcome: Outcome): void {
    this.#pool?.balancer.settled(connection.upstream, outcome);
    this.#context.upstreams.leave(connection.upstream);
  }

  get #most(): number {
    return this.#options.options.retries?.attempts ?? 1;
  }

  /** Of a hundred requests. */
  get #budget(): number {
    return this.#options.options.retries?.budgetPercent ?? 20;
  }

  #exclude(connection: Connection): void {
    this.#tried ??= new Set();
    this.#tried.add(connection.upstream);
  }
}
