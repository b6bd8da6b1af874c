import type {
  Directory,
  DirectoryDelta,
  Route,
  RouteBalance,
  ServiceRef,
} from '../../core/model/directory.ts';
import { backendsOf } from '../../core/model/directory.ts';
import { type Draft, PersistentMap } from './persistent-map.ts';
import { policyOf, type RoutePolicy } from './route-policy.ts';
import { RouteTally } from './route-tally.ts';

/** One address that takes requests. `key` is unique over instance, address and port. */
export type PoolEndpoint = {
  readonly key: string;
  readonly instanceId: string;
  readonly address: string;
  readonly port: number;
};

/** The ready endpoints of one service, in order of instance id; `uses`: how many routes lead here. */
export type RoutePool = {
  readonly key: string;
  readonly service: ServiceRef;
  /** Undefined: as the engine does by default. */
  readonly balance: RouteBalance | undefined;
  readonly uses: number;
  readonly endpoints: readonly PoolEndpoint[];
};

export type TableRoute = {
  readonly id: string;
  /** Lower case when case is ignored. */
  readonly pathPrefix: string;
  readonly ignoreCase: boolean;
  readonly weight: number;
  readonly poolKey: string;
  readonly policy: RoutePolicy | undefined;
  /** Counts this route's answers, from one table to the next. */
  readonly tally: RouteTally;
};

/**
 * Everything the edge needs to send a request somewhere: an immutable value, swapped as a whole.
 * `hosts` is keyed by the route's host as written (`shop.example.org`, `*.example.org`, `*`); the routes of a host are
 * ordered so that the first one whose prefix matches is the right one, whatever the order they arrived in.
 */
export type RouteTable = {
  readonly revision: number;
  readonly hosts: PersistentMap<readonly TableRoute[]>;
  /** How many keys of `hosts` are wildcards: 0 spares the search for one. */
  readonly wildcards: number;
  readonly pools: PersistentMap<RoutePool>;
};

export const emptyTable: RouteTable = {
  revision: 0,
  hosts: PersistentMap.empty(),
  wildcards: 0,
  pools: PersistentMap.empty(),
};

/** The table of a whole Directory. */
export function buildTable(directory: Directory): RouteTable {
  const byHost = Map.groupBy(directory.routes.values(), (route) => route.host);
  const hosts = PersistentMap.of(
    [...byHost].map(([host, routes]) => [host, ordered(routes.map((route) => tableRoute(route)))] as const),
  );
  const pools = PersistentMap.empty<RoutePool>().edit();
  for (const route of directory.routes.values()) countUse(pools, directory, route, 1);
  const wildcards = [...byHost.keys()].filter(isWildcard).length;
  return { revision: directory.revision, hosts, wildcards, pools: pools.done() };
}

/**
 * The table of `after`, made from that of `before` and the delta between them. Work is proportional to the change; pools
 * whose endpoints did not change keep their identity.
 */
export function updateTable(
  table: RouteTable,
  [before, after]: readonly [Directory, Directory],
  delta: DirectoryDelta,
): RouteTable {
  if (delta.from === 0 || table.revision !== before.revision) return buildTable(after);
  const pools = table.pools.edit();
  const hosts = updateHosts(table.hosts, pools, [before, after], delta);
  for (const key of touchedPools([before, after], delta)) {
    const pool = pools.get(key);
    if (pool !== undefined) pools.set(key, { ...pool, endpoints: endpointsOf(after, pool.service) });
  }
  const wildcards = table.wildcards + newWildcards(table.hosts, hosts);
  return { revision: after.revision, hosts, wildcards, pools: pools.done() };
}

function updateHosts(
  hosts: RouteTable['hosts'],
  pools: Draft<RoutePool>,
  [before, after]: readonly [Directory, Directory],
  delta: DirectoryDelta,
): RouteTable['hosts'] {
  if (delta.routes === undefined) return hosts;
  const changed = new Set([...delta.routes.gone, ...delta.routes.set.map((route) => route.id)]);
  const old = [...changed].flatMap((id) => before.routes.get(id) ?? []);
  const tallies = talliesOf(hosts, old);
  const added = Map.groupBy(delta.routes.set, (route) => route.host);
  const next = hosts.edit();
  for (const host of new Set([...old.map((route) => route.host), ...added.keys()])) {
    const kept = (hosts.get(host) ?? []).filter((route) => !changed.has(route.id));
    const fresh = (added.get(host) ?? []).map((route) => tableRoute(route, tallies.get(route.id)));
    if (kept.length + fresh.length === 0) next.delete(host);
    else next.set(host, ordered([...kept, ...fresh]));
  }
  for (const route of delta.routes.set) countUse(pools, after, route, 1);
  for (const route of old) countUse(pools, after, route, -1);
  return next.done();
}

/** What was counted for routes that are about to be replaced, by route id. */
function talliesOf(hosts: RouteTable['hosts'], routes: readonly Route[]): ReadonlyMap<string, RouteTally> {
  const found = routes.flatMap(({ id, host }) => (hosts.get(host) ?? []).filter((route) => route.id === id));
  return new Map(found.map((route) => [route.id, route.tally]));
}

/** How many more wildcard hosts there are after a change. */
function newWildcards(before: RouteTable['hosts'], after: RouteTable['hosts']): number {
  const changed = before.differences(after).filter(isWildcard);
  return changed.reduce((sum, host) => sum + Number(after.has(host)) - Number(before.has(host)), 0);
}

function countUse(pools: Draft<RoutePool>, directory: Directory, route: Route, by: 1 | -1): void {
  const key = poolKeyOf(route);
  const pool = pools.get(key) ?? newPool(directory, route);
  const uses = pool.uses + by;
  if (uses === 0) pools.delete(key);
  else pools.set(key, { ...pool, uses });
}

function newPool(directory: Directory, route: Route): RoutePool {
  const { service } = route;
  const endpoints = endpointsOf(directory, service);
  return { key: poolKeyOf(route), service, balance: route.options?.balance, uses: 0, endpoints };
}

/** The services that a changed endpoint is or was a part of. */
function touchedPools(
  [before, after]: readonly [Directory, Directory],
  delta: DirectoryDelta,
): ReadonlySet<string> {
  const { gone = [], set = [] } = delta.endpoints ?? {};
  const ids = [...gone, ...set.map((endpoint) => endpoint.instanceId)];
  const endpoints = ids
    .flatMap((id) => [before.endpoints.get(id) ?? [], after.endpoints.get(id) ?? []])
    .flat();
  return new Set(
    endpoints.flatMap(({ appId, ports }) =>
      ports.flatMap((port) => balances.map((balance) => poolKey({ appId, portIndex: port.index }, balance))),
    ),
  );
}

function endpointsOf(directory: Directory, service: ServiceRef): readonly PoolEndpoint[] {
  return backendsOf(directory, [service]).map(({ instanceId, address, port }) => ({
    key: `${instanceId} ${address} ${port}`,
    instanceId,
    address,
    port,
  }));
}

function tableRoute(route: Route, tally = new RouteTally(route.id)): TableRoute {
  const { id, pathPrefix, ignoreCase = false, weight = 0 } = route;
  return {
    id,
    pathPrefix: ignoreCase ? pathPrefix.toLowerCase() : pathPrefix,
    ignoreCase,
    weight,
    poolKey: poolKeyOf(route),
    policy: policyOf(route),
    tally,
  };
}

/** Routes that balance in different ways cannot share a pool. */
const balances = [undefined, 'round-robin', 'least-requests', 'two-choices', 'hash'] as const;

function poolKeyOf(route: Route): string {
  return poolKey(route.service, route.options?.balance);
}

function poolKey(service: ServiceRef, balance: RouteBalance | undefined): string {
  const key = `${service.appId}:${service.portIndex}`;
  return balance === undefined ? key : `${key}:${balance}`;
}

/** Longest prefix first, then the greater weight, then the smaller id: the order of arrival never matters. */
function ordered(routes: readonly TableRoute[]): readonly TableRoute[] {
  return routes.toSorted(
    (a, b) =>
      b.pathPrefix.length - a.pathPrefix.length ||
      b.weight - a.weight ||
      (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
}

function isWildcard(host: string): boolean {
  return host.startsWith('*');
}
