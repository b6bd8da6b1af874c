import type { BalanceRequest, Balancer, BalancerFactory } from '../../balancer.ts';
import { balancersByName } from '../../balancers/by-name.ts';
import {
  emptyTable,
  endpointName,
  type PoolEndpoint,
  type RoutePool,
  type RouteTable,
} from '../routes/route-table.ts';
import { byWeight } from '../routes/weights.ts';
import type { EndpointStats } from '../telemetry/traffic-stats.ts';
import { ActiveChecks } from './active-checks.ts';
import { RetryBudget } from './retry-budget.ts';
import { Upstream } from './upstream.ts';
import type { UpstreamContext } from './upstream-context.ts';

/** A pool of the table in force, bound to live endpoints. */
export type BoundPool = {
  readonly endpoints: readonly PoolEndpoint[];
  readonly upstreams: readonly Upstream[];
  /** The same as often as each is to be chosen. */
  readonly turns: readonly Upstream[];
  readonly balancer: Balancer;
  readonly retries: RetryBudget;
  readonly chance: () => number;
  /** Undefined: nobody asks. */
  readonly checks: ActiveChecks | undefined;
  /** With a smaller share of well endpoints sick ones are used too. */
  readonly panicPercent: number;
};

/** All endpoints the data path knows, also those that left the table but still carry requests. */
export class Upstreams {
  readonly #context: UpstreamContext;
  readonly #balancer: BalancerFactory;
  readonly #chance: () => number;
  #table: RouteTable['pools'] = emptyTable.pools;
  readonly #pools = new Map<string, BoundPool>();
  readonly #all = new Map<string, Upstream>();

  constructor(context: UpstreamContext, options: { balancer: BalancerFactory; chance: () => number }) {
    this.#context = context;
    this.#balancer = options.balancer;
    this.#chance = options.chance;
  }

  /** Binds the pools of a table. Endpoints that are in none of them are retired: their idle connections close now. */
  apply(table: RouteTable): void {
    const left: Upstream[] = [];
    for (const key of this.#table.differences(table.pools)) {
      left.push(...(this.#pools.get(key)?.upstreams ?? []));
      this.#bind(key, table.pools.get(key));
    }
    this.#table = table.pools;
    for (const upstream of left) if (--upstream.pools === 0) this.#retire(upstream);
  }

  pool(key: string): BoundPool | undefined {
    return this.#pools.get(key);
  }

  /** Whether one of the pool's endpoints has this name in cookies. */
  hasSticky(key: string, cookie: string): boolean {
    return this.#pools.get(key)?.upstreams.some((upstream) => upstream.cookie === cookie) === true;
  }

  /** Counts a request towards an endpoint until `leave`. */
  enter(upstream: Upstream): void {
    upstream.inFlight++;
  }

  leave(upstream: Upstream): void {
    upstream.inFlight--;
    if (upstream.retired && upstream.inFlight === 0) this.#all.delete(upstream.key);
  }

  /** Requests and tunnels by instance id; only those that carry any. */
  inFlight(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { endpoint, inFlight } of this.#all.values()) {
      if (inFlight > 0) counts.set(endpoint.instanceId, (counts.get(endpoint.instanceId) ?? 0) + inFlight);
    }
    return counts;
  }

  /** What is known of every endpoint. */
  stats(): readonly EndpointStats[] {
    const now = this.#context.clock.now();
    const pools = [...this.#pools.values()].filter(({ checks }) => checks !== undefined);
    return [...this.#all.values()].map((upstream) => ({
      endpoint: endpointName(upstream.endpoint),
      requests: upstream.tally.counts(),
      latency: upstream.tally.latency(),
      connectFailures: upstream.connectFailures,
      inFlight: upstream.inFlight,
      streams: { ...upstream.streams },
      ejected: upstream.ejectedUntil > now,
      sick: pools.some(({ checks }) => checks?.isSick(upstream)),
    }));
  }

  get poolCount(): number {
    return this.#pools.size;
  }

  #bind(key: string, pool: RoutePool | undefined): void {
    const bound = this.#pools.get(key);
    if (pool === undefined) {
      bound?.checks?.stop();
      this.#pools.delete(key);
      return;
    }
    const upstreams =
      bound?.endpoints === pool.endpoints
        ? bound.upstreams
        : pool.endpoints.map((endpoint) => this.#upstream(endpoint));
    for (const upstream of upstreams) upstream.pools++;
    const make = pool.balance === undefined ? this.#balancer : balancersByName[pool.balance];
    const balancer = bound?.balancer ?? make(this.#chance);
    const retries = bound?.retries ?? new RetryBudget();
    if (bound !== undefined) this.#markJoined(bound, upstreams);
    // Pools that are checked in different ways have different keys.
    const checks = bound?.checks ?? (pool.check && new ActiveChecks(this.#context, pool.check));
    checks?.follow({ upstreams, endpoints: pool.endpoints });
    const { panicPercent = 0 } = pool.check ?? {};
    const live = { balancer, retries, chance: this.#chance, checks, panicPercent };
    const turns = bound?.upstreams === upstreams ? bound.turns : byWeight(upstreams);
    this.#pools.set(key, { endpoints: pool.endpoints, upstreams, turns, ...live });
  }

  /** Whoever joins others that have long carried the load is given its share step by step; in a young pool all are equal. */
  #markJoined(bound: BoundPool, upstreams: readonly Upstream[]): void {
    const { clock, settings } = this.#context;
    const now = clock.now();
    const isOld = (upstream: Upstream) =>
      bound.upstreams.includes(upstream) && now - upstream.knownSince >= settings.slowStartMs;
    if (!upstreams.some(isOld)) return;
    for (const upstream of upstreams) if (!bound.upstreams.includes(upstream)) upstream.joinedAt = now;
  }

  #upstream(endpoint: PoolEndpoint): Upstream {
    const upstream = this.#all.get(endpoint.key) ?? new Upstream(this.#context, endpoint);
    upstream.retired = false;
    this.#all.set(endpoint.key, upstream);
    return upstream;
  }

  #retire(upstream: Upstream): void {
    upstream.retire();
    if (upstream.inFlight === 0) this.#all.delete(upstream.key);
  }
}

/** Of its whole share, from the first moment. */
const leastShare = 0.1;

type PickOptions = {
  readonly tried: ReadonlySet<Upstream> | undefined;
  readonly now: number;
  /** The cookie value of the endpoint that the client stays with. */
  readonly sticky: string | undefined;
  /** How long an endpoint that joined takes to get its whole share. */
  readonly slowStartMs: number;
};

/**
 * An endpoint of the pool that was not tried yet. Ejected ones only when all others were tried: a pool whose every
 * endpoint is ejected is better served by a guess than by an error.
 */
export function pick(pool: BoundPool, request: BalanceRequest, options: PickOptions): Upstream | undefined {
  const { tried, now, sticky } = options;
  const kept = sticky === undefined ? undefined : stuckTo(pool, sticky, options);
  if (kept !== undefined) return kept;
  if (tried === undefined && pool.checks === undefined && allUsual(pool.upstreams, now))
    return pool.balancer.choose(pool.turns, request);
  const untried = pool.upstreams.filter((upstream) => tried?.has(upstream) !== true);
  const sound = untried.filter((upstream) => upstream.ejectedUntil <= now && !isSick(pool, upstream));
  const usable = settledEnough(pool, sound.length > 0 && !isPanic(pool) ? sound : untried, options);
  return pool.balancer.choose(byWeight(usable), request);
}

function isSick({ checks }: BoundPool, upstream: Upstream): boolean {
  return checks?.isSick(upstream) === true;
}

/** So few are well that sending them all requests would make them sick too. */
function isPanic(pool: BoundPool): boolean {
  if (pool.panicPercent === 0) return false;
  const well = pool.upstreams.filter((upstream) => !isSick(pool, upstream)).length;
  return well * 100 < pool.panicPercent * pool.upstreams.length;
}

function allUsual(upstreams: readonly Upstream[], now: number): boolean {
  for (const { ejectedUntil, joinedAt } of upstreams) if (ejectedUntil > now || joinedAt > 0) return false;
  return true;
}

/** Without those that joined a moment ago, the more often the younger they are; all when nobody else is left. */
function settledEnough(
  pool: BoundPool,
  upstreams: readonly Upstream[],
  { now, slowStartMs }: PickOptions,
): readonly Upstream[] {
  const ready = upstreams.filter((upstream) => {
    if (upstream.joinedAt === 0) return true;
    const share = slowStartMs === 0 ? 1 : (now - upstream.joinedAt) / slowStartMs;
    if (share >= 1) upstream.joinedAt = 0;
    return share >= 1 || pool.chance() < Math.max(leastShare, share);
  });
  return ready.length === 0 ? upstreams : ready;
}

function stuckTo(pool: BoundPool, cookie: string, { tried, now }: PickOptions): Upstream | undefined {
  const found = pool.upstreams.find((upstream) => upstream.cookie === cookie);
  if (found === undefined || tried?.has(found) === true || isSick(pool, found)) return undefined;
  return found.ejectedUntil <= now ? found : undefined;
}
