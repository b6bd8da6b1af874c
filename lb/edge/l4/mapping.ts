import { isIPv4 } from 'node:net';
import type { Directory } from '../../../core/model/directory.ts';
import type { AgentId } from '../../../core/model/ids.ts';
import { type Listener, type ListenerOptions, tableOf } from '../../../core/model/listener.ts';
import type { Route, RouteOptions } from '../../../core/model/route.ts';
import { endpointsOf, type PoolEndpoint } from '../routes/route-table.ts';
import type { MappedPort, MappedTarget } from './port-mapper.ts';

/** Who carries the connections of a listener: the kernel, or for a reason the edge's processes. */
export type Mapping =
  | { readonly kind: 'kernel'; readonly port: MappedPort }
  | { readonly kind: 'process'; readonly because: string };

export type MappingOptions = {
  /** Whose endpoints answer by way of this machine; undefined: nobody's do. */
  readonly agentId: AgentId | undefined;
  /** The routes of the listener's table. */
  readonly routes: readonly Route[];
};

/** Pure. `listener` says where it really is open. Why each thing is as it is: docs/decisions/kernel-ports.md. */
export function mapping(
  directory: Directory,
  listener: Listener & { readonly address: string },
  { agentId, routes }: MappingOptions,
): Mapping {
  const { id, protocol, port, address, options } = listener;
  if (protocol !== 'tcp' && protocol !== 'udp') return process(`${protocol} is read by the edge`);
  const asked = placeReason(address) ?? listenerReason(options);
  if (asked !== undefined) return process(asked);
  const [route, ...others] = routes.filter(({ host }) => host === '*');
  if (route === undefined) return process('no route takes what comes');
  if (others.length > 0) return process('several routes take what comes');
  const limits = routeReason(route);
  if (limits !== undefined) return process(limits);
  const endpoints = endpointsOf(directory, route.service).filter(({ weight }) => weight !== 0);
  const odd = endpoints.map(endpointReason).find((reason) => reason !== undefined);
  if (odd !== undefined) return process(odd);
  const balance = route.options?.balance === 'hash' ? ({ balance: 'source-hash' } as const) : {};
  const backends = endpoints.map((endpoint) => target(directory, endpoint, agentId));
  return { kind: 'kernel', port: { listener: id, protocol, address, port, backends, ...balance } };
}

/** Tables of listeners with their routes, in one look at all routes. */
export function routesByTable({ routes }: Directory): ReadonlyMap<string | undefined, readonly Route[]> {
  return Map.groupBy(
    routes.values().filter(({ table }) => table !== undefined),
    ({ table }) => table,
  );
}

export function routesOf(
  tables: ReadonlyMap<string | undefined, readonly Route[]>,
  listener: Listener,
): readonly Route[] {
  return tables.get(tableOf(listener)) ?? [];
}

function process(because: string): Mapping {
  return { kind: 'process', because };
}

function placeReason(address: string): string | undefined {
  if (address.startsWith('127.') || address === '::1')
    return 'only processes of this machine reach a loopback address';
  if (!isIPv4(address)) return 'the kernel maps IPv4 only so far';
  return undefined;
}

/** What only somebody who holds the connection can do. */
function listenerReason({ acceptProxy, maxConnections, idleMs }: ListenerOptions = {}): string | undefined {
  if (acceptProxy !== undefined) return 'PROXY headers are read (acceptProxy)';
  if (maxConnections !== undefined) return 'connections are limited (maxConnections)';
  return idleMs === undefined ? undefined : 'silent connections are ended (idleMs)';
}

const userspaceOptions = [
  ['sendProxy', 'PROXY headers are sent'],
  ['tls', 'endpoints are spoken to over TLS'],
  ['limits', 'connections are limited'],
  ['allow', 'clients are chosen by address'],
  ['deny', 'clients are chosen by address'],
  ['maintenance', 'it is under maintenance'],
  ['check', 'the edge checks the endpoints'],
  ['split', 'connections are split among apps'],
] as const satisfies readonly (readonly [keyof RouteOptions, string])[];

function routeReason({ options = {} }: Route): string | undefined {
  for (const [name, reason] of userspaceOptions)
    if (options[name] !== undefined) return `${reason} (${name})`;
  const { balance, timeouts } = options;
  if (timeouts?.connectMs !== undefined) return 'the time to connect is bounded (timeouts.connectMs)';
  return balance === 'least-requests' || balance === 'two-choices'
    ? `the kernel cannot choose by ${balance}`
    : undefined;
}

function endpointReason({ address, instanceId, backup }: PoolEndpoint): string | undefined {
  if (backup) return `${instanceId} is used only while no other can be`;
  if (!isIPv4(address)) return `${instanceId} is not at an IPv4 address (${address})`;
  return address.startsWith('127.') ? `${instanceId} is at a loopback address (${address})` : undefined;
}

function target(
  { endpoints }: Directory,
  { instanceId, address, port, weight }: PoolEndpoint,
  agentId: AgentId | undefined,
): MappedTarget {
  const isNear = agentId !== undefined && endpoints.get(instanceId)?.agentId === agentId;
  return {
    ...{ instanceId, address, port },
    ...(weight !== undefined && { weight }),
    ...(!isNear && { far: true as const }),
  };
}
