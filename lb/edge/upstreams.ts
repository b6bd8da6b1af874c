import type { BalanceRequest, Balancer, BalancerFactory } from '../balancer.ts';
import { balancersByName } from '../balancers/by-name.ts';
import type { UpstreamContext } from './context.ts';
import { emptyTable, type PoolEndpoint, type RoutePool, type RouteTable } from './route-table.ts';
import { Upstream } from './upstream.ts';

/** A pool of the table in force, bound to live endpoints. */
export type BoundPool = {
  readonly endpoints: readonly PoolEndpoint[];
  readonly upstreams: readonly Upstream[];
  readonly balancer: Balancer;
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

  #bind(key: string, pool: RoutePool | undefined): void {
    if (pool === undefined) {
      this.#pools.delete(key);
      return;
    }
    const bound = this.#pools.get(key);
    const upstreams =
      bound?.endpoints === pool.endpoints
        ? bound.upstreams
        : pool.endpoints.map((endpoint) => this.#upstream(endpoint));
    for (const upstream of upstreams) upstream.pools++;
    const make = pool.balance === undefined ? this.#balancer : balancersByName[pool.balance];
    const balancer = bound?.balancer ?? make(this.#chance);
    this.#pools.set(key, { endpoints: pool.endpoints, upstreams, balancer });
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

type PickOptions = {
  readonly tried: ReadonlySet<Upstream> | undefined;
  readonly now: number;
  /** The cookie value of the endpoint that the client stays with. */
  readonly sticky: string | undefined;
};

/**
 * An endpoint of the pool that was not tried yet. Ejected ones only when all others were tried: a pool whose every
 * endpoint is ejected is better served by a guess than by an error.
 */
export function pick(pool: BoundPool, request: BalanceRequest, options: PickOptions): Upstream | undefined {
  const { tried, now, sticky } = options;
  const kept = sticky === undefined ? undefined : stuckTo(pool, sticky, options);
  if (kept !== undefined) return kept;
  if (tried === undefined && noneEjected(pool.upstreams, now))
    return pool.balancer.choose(pool.upstreams, request);
  const untried = pool.upstreams.filter((upstream) => tried?.has(upstream) !== true);
  const sound = untried.filter((upstream) => upstream.ejectedUntil <= now);
  return pool.balancer.choose(sound.length > 0 ? sound : untried, request);
}

function noneEjected(upstreams: readonly Upstream[], now: number): boolean {
  for (const upstream of upstreams) if (upstream.ejectedUntil > now) return false;
  return true;
}

function stuckTo(pool: BoundPool, cookie: string, { tried, now }: PickOptions): Upstream | undefined {
  const found = pool.upstreams.find((upstream) => upstream.cookie === cookie);
  const usable = found !== undefined && tried?.has(found) !== true && found.ejectedUntil <= now;
  return usable ? found : undefined;
}
