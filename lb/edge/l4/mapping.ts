import { isIPv4 } from 'node:net';
import type { Directory } from '../../../core/model/directory.ts';
import type { AgentId } from '../../../core/model/ids.ts';
import { type Listener, type ListenerOptions, tableOf } from '../../../core/model/listener.ts';
import type { Route, RouteOptions } from '../../../core/model/route.ts';
import { addressesOf } from '../../../core/model/vip-backends.ts';
import { endpointsOf, type PoolEndpoint } from '../routes/route-table.ts';
import type { MappedPort, MappedTarget } from './port-mapper.ts';
import { rangesOf } from './ranges.ts';

type Family = 4 | 6;

/** Who carries the connections of a listener: the kernel, or for a reason the edge's processes. */
export type Mapping =
  | {
      readonly kind: 'kernel';
      /** One for each family. */
      readonly ports: readonly MappedPort[];
      /** What processes carry all the same, and why. */
      readonly except?: string;
    }
  | { readonly kind: 'process'; readonly because: string };

export type MappingOptions = {
  /** Whose endpoints answer by way of this machine; undefined: nobody's do. */
  readonly agentId: AgentId | undefined;
  /** The routes of the listener's table. */
  readonly routes: readonly Route[];
  /** Why this machine cannot carry IPv6; undefined: it can. */
  readonly cannotSix?: string | undefined;
};

/** Pure. `listener` says where it really is open. Why each thing is as it is: docs/decisions/kernel-ports.md. */
export function mapping(
  directory: Directory,
  listener: Listener & { readonly address: string },
  options: MappingOptions,
): Mapping {
  const { protocol, address } = listener;
  if (protocol !== 'tcp' && protocol !== 'udp') return process(`${protocol} is read by the edge`);
  const asked = placeReason(address) ?? listenerReason(listener.options);
  if (asked !== undefined) return process(asked);
  const [route, ...others] = options.routes.filter(({ host }) => host === '*');
  if (route === undefined) return process('no route takes what comes');
  if (others.length > 0) return process('several routes take what comes');
  const limits = routeReason(route);
  if (limits !== undefined) return process(limits);
  const port = { listener: listener.id, protocol, address, port: listener.port };
  return whole(
    familiesOf(address).map((family) => mapped(directory, port, { ...options, family, route })),
    address,
  );
}

type OfFamily = MappingOptions & { readonly family: Family; readonly route: Route };

/** Of one family: why processes carry it, or its port. */
function mapped(
  directory: Directory,
  port: Pick<MappedPort, 'listener' | 'protocol' | 'address' | 'port'>,
  { agentId, cannotSix, family, route }: OfFamily,
): MappedPort | string {
  if (family === 6 && cannotSix !== undefined) return cannotSix;
  const endpoints = endpointsOf(directory, route.service).filter(({ weight }) => weight !== 0);
  const backends: MappedTarget[] = [];
  for (const endpoint of endpoints) {
    const found = target(directory, endpoint, { family, agentId });
    if (typeof found === 'string') return found;
    backends.push(found);
  }
  const { allow, deny, balance } = route.options ?? {};
  return {
    ...port,
    // A socket at `::` takes both.
    ...(family === 4 && port.address === '::' && { address: '0.0.0.0' }),
    backends,
    ...(balance === 'hash' && { balance: 'source-hash' }),
    ...(allow && { allow: rangesOf(allow, family) }),
    ...(deny && { deny: rangesOf(deny, family) }),
  };
}

function whole(each: readonly (MappedPort | string)[], address: string): Mapping {
  const ports = each.filter((one) => typeof one !== 'string');
  const because = each.filter((one) => typeof one === 'string');
  if (ports.length === 0) return process(because[0] ?? '');
  if (because.length === 0) return { kind: 'kernel', ports };
  const other = familiesOf(address).filter((_, i) => typeof each[i] === 'string');
  return { kind: 'kernel', ports, except: `IPv${other[0]}: ${because[0]}` };
}

function familiesOf(address: string): readonly Family[] {
  if (address === '::') return [4, 6];
  return [isIPv4(address) ? 4 : 6];
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
  if (isLoopback(address)) return 'only processes of this machine reach a loopback address';
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

/** Where it is reached by this family, or why it is not. */
function target(
  { endpoints }: Directory,
  { instanceId, address, port, weight, backup }: PoolEndpoint,
  { family, agentId }: { readonly family: Family; readonly agentId: AgentId | undefined },
): MappedTarget | string {
  if (backup) return `${instanceId} is used only while no other can be`;
  const endpoint = endpoints.get(instanceId);
  const its = endpoint?.ports.find((one) => one.address === address && one.port === port);
  const places = endpoint && its ? addressesOf(endpoint, its) : [address];
  const place = places.find((one) => isIPv4(one) === (family === 4));
  if (place === undefined) return `${instanceId} is not at an IPv${family} address (${address})`;
  if (isLoopback(place)) return `${instanceId} is at a loopback address (${place})`;
  const isNear = agentId !== undefined && endpoint?.agentId === agentId;
  return {
    ...{ instanceId, address: place, port },
    ...(weight !== undefined && { weight }),
    ...(!isNear && { far: true as const }),
  };
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
