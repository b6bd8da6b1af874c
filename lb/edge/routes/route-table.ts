import {
  backendsOf,
  type Directory,
  type DirectoryDelta,
  type Endpoint,
} from '../../../core/model/directory.ts';
import type { Listener } from '../../../core/model/listener.ts';
import {
  type ActiveCheck,
  claimOf,
  type Route,
  type RouteBalance,
  type RouteOptions,
  type ServiceRef,
  type UpstreamProtocol,
  type UpstreamTls,
} from '../../../core/model/route.ts';
import { appsOf, isServerSet } from '../../../core/model/server-set.ts';
import { serversOf } from '../../../core/model/servers-of.ts';
import type { RouteTally } from '../telemetry/route-tally.ts';
import { challengePages } from '../tls/challenge-answers.ts';
import { expression } from './expression.ts';
import { HostRoutes } from './host-routes.ts';
import { type Draft, PersistentMap } from './persistent-map.ts';
import { poolKey, serviceKey, servicesOf, spokenKey } from './pool-key.ts';
import { tableRoute } from './table-route.ts';

/** One address that takes requests. `key` is unique over instance, address and port. */
export type PoolEndpoint = {
  readonly key: string;
  readonly instanceId: string;
  readonly address: string;
  readonly port: number;
  /** Where it is asked how it is, when that is another port. */
  readonly checkPort?: number;
  /** Absent: HTTP/1.1. */
  readonly protocol?: UpstreamProtocol;
  /** Absent: without TLS. */
  readonly tls?: UpstreamTls;
  /** Share of the requests beside the pool's others; default 1. */
  readonly weight?: number;
  /** Used only while no other can be. */
  readonly backup?: true;
  /** What names it in cookies; absent: the digest of machine, address and port (`server-name.ts`). */
  readonly cookie?: string;
  /** Name of its machine. */
  readonly host?: string;
};

/** For people. */
export function endpointName({ instanceId, address, port }: PoolEndpoint): string {
  return `${instanceId} ${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** `sendProxy`: what connections to endpoints begin with. */
export type CheckPlan = ActiveCheck & Pick<RouteOptions, 'sendProxy'>;

/** The ready endpoints of one service, in order of instance id; `uses`: how many routes lead here. */
export type RoutePool = {
  readonly key: string;
  readonly service: ServiceRef;
  /** Undefined: as the engine does by default. */
  readonly balance: RouteBalance | undefined;
  readonly check: CheckPlan | undefined;
  readonly protocol: UpstreamProtocol | undefined;
  readonly tls: UpstreamTls | undefined;
  readonly uses: number;
  readonly endpoints: readonly PoolEndpoint[];
};

/**
 * Everything the edge needs to send a request somewhere: an immutable value, swapped as a whole.
 * `hosts` is keyed by the route's host as written (`shop.example.org`, `*.example.org`, `*`), with the scope of its table in front
 * where it has one of its own (`claimOf`).
 */
export type RouteTable = {
  readonly revision: number;
  readonly hosts: PersistentMap<HostRoutes>;
  /** How many keys of `hosts` are wildcards of the shared table: 0 spares the search for one. */
  readonly wildcards: number;
  readonly pools: PersistentMap<RoutePool>;
  /** Keys of the pools of a service, by `serviceKey`. */
  readonly poolsOf: PersistentMap<readonly string[]>;
  readonly listeners: ReadonlyMap<string, Listener>;
  /** Those of the store, by name. */
  readonly certificates: Directory['certificates'];
  /** What authorities that look whether hosts are ours are answered, by path. */
  readonly challenges: ReadonlyMap<string, string>;
};

export const emptyTable: RouteTable = {
  revision: 0,
  hosts: PersistentMap.empty(),
  wildcards: 0,
  pools: PersistentMap.empty(),
  poolsOf: PersistentMap.empty(),
  listeners: new Map(),
  certificates: new Map(),
  challenges: new Map(),
};

/** The table of a whole Directory. */
export function buildTable(directory: Directory): RouteTable {
  const byHost = Map.groupBy(directory.routes.values(), claimOf);
  const hosts = PersistentMap.of(
    [...byHost].map(
      ([host, routes]) => [host, new HostRoutes(routes.map((route) => tableRoute(route)))] as const,
    ),
  );
  const draft = draftOf(emptyTable);
  for (const route of directory.routes.values()) countUses(draft, directory, route, 1);
  const wildcards = [...byHost.keys()].filter(isWildcard).length;
  const { revision, listeners, certificates } = directory;
  const challenges = challengePages(directory.challenges);
  return { revision, hosts, wildcards, ...done(draft), listeners, certificates, challenges };
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
  const draft = draftOf(table);
  const hosts = updateHosts(table.hosts, draft, [before, after], delta);
  for (const key of touchedServices([before, after], delta).flatMap((one) => draft.poolsOf.get(one) ?? [])) {
    const pool = draft.pools.get(key);
    if (pool !== undefined)
      draft.pools.set(key, { ...pool, endpoints: endpointsOf(after, pool.service, pool) });
  }
  const wildcards = table.wildcards + newWildcards(table.hosts, hosts);
  const { revision, listeners, certificates } = after;
  const challenges = delta.challenges === undefined ? table.challenges : challengePages(after.challenges);
  return { revision, hosts, wildcards, ...done(draft), listeners, certificates, challenges };
}

/** Ids of routes that were in the one table and are not in the other. */
export function goneRoutes(before: RouteTable, after: RouteTable): ReadonlySet<string> {
  const gone = new Set<string>();
  const kept = new Set<string>();
  for (const host of before.hosts.differences(after.hosts)) {
    for (const { id } of after.hosts.get(host)?.routes ?? []) kept.add(id);
    for (const { id } of before.hosts.get(host)?.routes ?? []) gone.add(id);
  }
  return gone.difference(kept);
}

type PoolsDraft = { readonly pools: Draft<RoutePool>; readonly poolsOf: Draft<readonly string[]> };

function draftOf({ pools, poolsOf }: RouteTable): PoolsDraft {
  return { pools: pools.edit(), poolsOf: poolsOf.edit() };
}

function done({ pools, poolsOf }: PoolsDraft): Pick<RouteTable, 'pools' | 'poolsOf'> {
  return { pools: pools.done(), poolsOf: poolsOf.done() };
}

function updateHosts(
  hosts: RouteTable['hosts'],
  draft: PoolsDraft,
  [before, after]: readonly [Directory, Directory],
  delta: DirectoryDelta,
): RouteTable['hosts'] {
  if (delta.routes === undefined) return hosts;
  const changed = new Set([...delta.routes.gone, ...delta.routes.set.map((route) => route.id)]);
  const old = [...changed].flatMap((id) => before.routes.get(id) ?? []);
  const tallies = talliesOf(hosts, old);
  const added = Map.groupBy(delta.routes.set, claimOf);
  const next = hosts.edit();
  for (const host of new Set([...old.map(claimOf), ...added.keys()])) {
    const kept = (hosts.get(host)?.routes ?? []).filter((route) => !changed.has(route.id));
    const fresh = (added.get(host) ?? []).map((route) => tableRoute(route, tallies.get(route.id)));
    if (kept.length + fresh.length === 0) next.delete(host);
    else next.set(host, new HostRoutes([...kept, ...fresh]));
  }
  for (const route of delta.routes.set) countUses(draft, after, route, 1);
  for (const route of old) countUses(draft, after, route, -1);
  return next.done();
}

/** What was counted for routes that are about to be replaced, by route id. */
function talliesOf(hosts: RouteTable['hosts'], routes: readonly Route[]): ReadonlyMap<string, RouteTally> {
  const found = routes.flatMap((old) =>
    (hosts.get(claimOf(old))?.routes ?? []).filter((route) => route.id === old.id),
  );
  return new Map(found.map((route) => [route.id, route.tally]));
}

/** How many more wildcard hosts there are after a change. */
function newWildcards(before: RouteTable['hosts'], after: RouteTable['hosts']): number {
  const changed = before.differences(after).filter(isWildcard);
  return changed.reduce((sum, host) => sum + Number(after.has(host)) - Number(before.has(host)), 0);
}

function countUses(draft: PoolsDraft, directory: Directory, route: Route, by: 1 | -1): void {
  for (const service of servicesOf(route)) countUse(draft, newPool(directory, service, route), by);
}

function countUse({ pools, poolsOf }: PoolsDraft, unused: RoutePool, by: 1 | -1): void {
  const { key, service } = unused;
  const pool = pools.get(key) ?? unused;
  const uses = pool.uses + by;
  if (uses === 0) pools.delete(key);
  else pools.set(key, { ...pool, uses });
  if (uses !== 0 && pool !== unused) return;
  const others = (poolsOf.get(serviceKey(service)) ?? []).filter((other) => other !== key);
  const keys = uses === 0 ? others : [...others, key];
  if (keys.length === 0) poolsOf.delete(serviceKey(service));
  else poolsOf.set(serviceKey(service), keys);
}

function newPool(directory: Directory, service: ServiceRef, { options = {} }: Route): RoutePool {
  const { balance, protocol, tls, sendProxy } = options;
  const check = options.check && { ...options.check, ...(sendProxy && { sendProxy }) };
  const endpoints = endpointsOf(directory, service, { check, protocol, tls });
  return { key: poolKey(service, options), service, balance, check, protocol, tls, uses: 0, endpoints };
}

/** The services that a changed endpoint is or was a part of. */
function touchedServices(
  [before, after]: readonly [Directory, Directory],
  delta: DirectoryDelta,
): readonly string[] {
  const { gone = [], set = [] } = delta.endpoints ?? {};
  const ids = [...gone, ...set.map((endpoint) => endpoint.instanceId)];
  const endpoints = ids
    .flatMap((id) => [before.endpoints.get(id) ?? [], after.endpoints.get(id) ?? []])
    .flat();
  const services = endpoints.flatMap(({ appId, ports }) =>
    ports.map((port) => serviceKey({ appId, portIndex: port.index })),
  );
  return [...new Set([...services, ...touchedSets(endpoints, [before, after], delta)])];
}

/** Sets that an app's endpoints are a part of, or that are others than before. */
function touchedSets(
  endpoints: readonly Endpoint[],
  [, after]: readonly [Directory, Directory],
  { serverSets }: DirectoryDelta,
): readonly string[] {
  const apps = new Set(endpoints.map(({ appId }) => appId));
  const changed = [...(serverSets?.gone ?? []), ...(serverSets?.set ?? []).map(({ key }) => key)];
  const following = apps.size === 0 ? [] : [...after.serverSets.values()];
  const touched = following.filter((set) => appsOf(set).some((app) => apps.has(app))).map(({ key }) => key);
  return [...changed, ...touched].map((appId) => serviceKey({ appId, portIndex: 0 }));
}

/** They have keys of their own: another cookie names them than where they serve as the endpoints of one port. */
function setEndpoints(
  directory: Directory,
  key: string,
  { check, ...spoken }: Spoken & Pick<RoutePool, 'check'>,
): readonly PoolEndpoint[] {
  const set = directory.serverSets.get(key);
  const like = (pattern: string) => {
    const compiled = expression(pattern);
    return (text: string) => compiled.matcher(text).find();
  };
  const portOf = ({ instanceId }: { readonly instanceId: string }) => {
    const checkPort = checkPortOf(directory, instanceId, check);
    return checkPort === undefined ? {} : { checkPort };
  };
  return serversOf(directory, set ?? { key, sources: [] }, like).map(({ agentId, name, ...server }) => ({
    ...server,
    ...portOf(server),
    key: `${server.instanceId} ${server.address} ${server.port} set${server.weight ?? ''}${server.backup ? 'b' : ''}${suffixOf(spoken)}`,
    ...(set?.naming === 'machine'
      ? hostOf(directory, agentId)
      : { cookie: Buffer.from(name).toString('base64') }),
    ...given(spoken),
  }));
}

export function endpointsOf(
  directory: Directory,
  service: ServiceRef,
  { check, ...spoken }: Pick<RoutePool, 'check'> & Spoken = plain,
): readonly PoolEndpoint[] {
  if (isServerSet(service.appId)) return setEndpoints(directory, service.appId, { ...spoken, check });
  return backendsOf(directory, [service]).map(({ instanceId, agentId, address, port }) => {
    const checkPort = checkPortOf(directory, instanceId, check);
    const key = `${instanceId} ${address} ${port}${suffixOf(spoken)}`;
    const place = { key, instanceId, address, port, ...hostOf(directory, agentId), ...given(spoken) };
    return checkPort === undefined ? place : { ...place, checkPort };
  });
}

/** Where the check asks for another port of the instance than requests go to. */
function checkPortOf(directory: Directory, instanceId: string, check: ActiveCheck | undefined) {
  if (check?.portIndex === undefined) return undefined;
  const ports = directory.endpoints.get(instanceId)?.ports ?? [];
  return ports.find(({ index }) => index === check.portIndex)?.port;
}

function hostOf({ agents }: Directory, agentId: string): Pick<PoolEndpoint, 'host'> {
  const host = agents.get(agentId)?.hostname;
  return host === undefined ? {} : { host };
}

type Spoken = Pick<RoutePool, 'protocol' | 'tls'>;
const plain = { check: undefined, protocol: undefined, tls: undefined };

function given({ protocol, tls }: Spoken): Pick<PoolEndpoint, 'protocol' | 'tls'> {
  return { ...(protocol && { protocol }), ...(tls && { tls }) };
}

function suffixOf(how: Spoken): string {
  const spoken = spokenKey(how);
  return spoken === '' ? '' : ` ${spoken}`;
}

function isWildcard(host: string): boolean {
  return host.startsWith('*');
}
