import type { Directory, DirectoryDelta, Route, ServiceRef } from '../../core/model/directory.ts';
import { backendsOf } from '../../core/model/directory.ts';

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
  readonly uses: number;
  readonly endpoints: readonly PoolEndpoint[];
};

export type TableRoute = { readonly id: string; readonly pathPrefix: string; readonly poolKey: string };

/**
 * Everything the edge needs to send a request somewhere: an immutable value, swapped as a whole.
 * `hosts` is keyed by the route's host as written (`shop.example.org`, `*.example.org`, `*`); the routes of a host are
 * ordered so that the first one whose prefix matches is the right one, whatever the order they arrived in.
 */
export type RouteTable = {
  readonly revision: number;
  readonly hosts: ReadonlyMap<string, readonly TableRoute[]>;
  /** How many keys of `hosts` are wildcards: 0 spares the search for one. */
  readonly wildcards: number;
  readonly pools: ReadonlyMap<string, RoutePool>;
};

export const emptyTable: RouteTable = { revision: 0, hosts: new Map(), wildcards: 0, pools: new Map() };

/** The table of a whole Directory. */
export function buildTable(directory: Directory): RouteTable {
  const byHost = Map.groupBy(directory.routes.values(), (route) => route.host);
  const hosts = new Map([...byHost].map(([host, routes]) => [host, ordered(routes.map(tableRoute))]));
  const pools = new Map<string, RoutePool>();
  for (const route of directory.routes.values()) countUse(pools, directory, route.service, 1);
  return { revision: directory.revision, hosts, wildcards: wildcardsAmong(hosts.keys()), pools };
}

/**
 * The table of `after`, made from that of `before` and the delta between them. Work is proportional to the change but
 * for one copy of each map that changes; pools whose endpoints did not change keep their identity.
 */
export function updateTable(
  table: RouteTable,
  [before, after]: readonly [Directory, Directory],
  delta: DirectoryDelta,
): RouteTable {
  if (delta.from === 0 || table.revision !== before.revision) return buildTable(after);
  const pools = new Map(table.pools);
  const hosts = updateHosts(table.hosts, pools, [before, after], delta);
  for (const key of touchedPools([before, after], delta)) {
    const pool = pools.get(key);
    if (pool !== undefined) pools.set(key, { ...pool, endpoints: endpointsOf(after, pool.service) });
  }
  const wildcards = hosts === table.hosts ? table.wildcards : wildcardsAmong(hosts.keys());
  return { revision: after.revision, hosts, wildcards, pools };
}

function updateHosts(
  hosts: RouteTable['hosts'],
  pools: Map<string, RoutePool>,
  [before, after]: readonly [Directory, Directory],
  delta: DirectoryDelta,
): RouteTable['hosts'] {
  if (delta.routes === undefined) return hosts;
  const changed = new Set([...delta.routes.gone, ...delta.routes.set.map((route) => route.id)]);
  const old = [...changed].flatMap((id) => before.routes.get(id) ?? []);
  const next = new Map(hosts);
  for (const host of new Set([...old, ...delta.routes.set].map((route) => route.host))) {
    const kept = (hosts.get(host) ?? []).filter((route) => !changed.has(route.id));
    const added = delta.routes.set.filter((route) => route.host === host).map(tableRoute);
    if (kept.length + added.length === 0) next.delete(host);
    else next.set(host, ordered([...kept, ...added]));
  }
  for (const route of delta.routes.set) countUse(pools, after, route.service, 1);
  for (const route of old) countUse(pools, after, route.service, -1);
  return next;
}

function countUse(
  pools: Map<string, RoutePool>,
  directory: Directory,
  service: ServiceRef,
  by: 1 | -1,
): void {
  const key = poolKey(service);
  const pool = pools.get(key) ?? { key, service, uses: 0, endpoints: endpointsOf(directory, service) };
  const uses = pool.uses + by;
  if (uses === 0) pools.delete(key);
  else pools.set(key, { ...pool, uses });
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
    endpoints.flatMap(({ appId, ports }) => ports.map((port) => poolKey({ appId, portIndex: port.index }))),
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

function tableRoute(route: Route): TableRoute {
  return { id: route.id, pathPrefix: route.pathPrefix, poolKey: poolKey(route.service) };
}

function poolKey(service: ServiceRef): string {
  return `${service.appId}:${service.portIndex}`;
}

/** Longest prefix first; of two equal ones the smaller id, so that the order of arrival never matters. */
function ordered(routes: readonly TableRoute[]): readonly TableRoute[] {
  return routes.toSorted(
    (a, b) => b.pathPrefix.length - a.pathPrefix.length || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
}

function wildcardsAmong(hosts: Iterable<string>): number {
  let count = 0;
  for (const host of hosts) if (host.startsWith('*')) count++;
  return count;
}
