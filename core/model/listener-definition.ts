import { isIP } from 'node:net';
import {
  listOf,
  may,
  needed,
  oneOf,
  type Reader,
  type ShapeFault,
  shaped,
  text,
  where,
  whole,
} from '../kit/shape.ts';
import { isHttp, type Listener, type ListenerOptions, type ListenerProtocol } from './listener.ts';
import { type DeclaredRoute, readRoute, renderRoute } from './route-definition.ts';
import * as read from './route-shapes.ts';

/** A listener as an operator declares it, perhaps with the one route that takes all that comes there. */
export type DeclaredListener = Omit<Listener, 'id' | 'owner'> & {
  readonly name: string;
  readonly route?: DeclaredRoute;
};

export type ReadListener =
  | { readonly kind: 'listener'; readonly listener: DeclaredListener }
  | { readonly kind: 'faults'; readonly faults: readonly ShapeFault[] };

type Place = ListenerOptions & {
  readonly name: string;
  readonly address?: string;
  readonly port: number;
  readonly protocol: ListenerProtocol;
  readonly table?: string;
};

/** Of a definition these are about the listener; all others are about its route. */
const placeNames = new Set([
  'name',
  'address',
  'port',
  'protocol',
  'table',
  'acceptProxy',
  'minTls',
  'certificates',
  'maxConnections',
  'idleMs',
]);

/**
 * Reads a definition (docs/how-to/listen.md): all its faults together. With `app`, what the definition says beyond the place is read
 * as a route of every host (`readRoute`); `upstream` there stands for the route's `protocol`, which the listener's own hides.
 */
export function readListener(value: unknown): ReadListener {
  const faults: ShapeFault[] = [];
  const given = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  if (given === undefined) return { kind: 'faults', faults: [{ path: '', error: 'must be an object' }] };
  const entries = Object.entries(given);
  const place = placeShape(Object.fromEntries(entries.filter(([key]) => placeNames.has(key))), '', faults);
  const rest = Object.fromEntries(entries.filter(([key]) => !placeNames.has(key)));
  const route = Object.keys(rest).length === 0 ? undefined : routeIn(rest, place, faults);
  if (place === undefined || faults.length > 0) return { kind: 'faults', faults };
  const { name, address, port, protocol, table, ...options } = place;
  const listener = {
    name,
    ...(address !== undefined && { address }),
    port,
    protocol,
    ...(table === undefined ? route && isHttp(protocol) && { table: name } : { table }),
    ...(Object.keys(options).length > 0 && { options }),
    ...(route && { route }),
  };
  return { kind: 'listener', listener };
}

/** The definition that `readListener` makes this listener of. */
export function renderListener(listener: DeclaredListener): Readonly<Record<string, unknown>> {
  const { route, options, table, ...place } = listener;
  const own = route === undefined ? table : table === route.table && table === place.name ? undefined : table;
  if (route === undefined) return { ...place, ...(table && { table }), ...options };
  const { id: _id, host: _host, path: _path, table: _table, protocol, ...rest } = renderRoute(route);
  const upstream = protocol === undefined ? {} : { upstream: protocol };
  return { ...place, ...(own && { table: own }), ...options, ...rest, ...upstream };
}

function routeIn(
  { upstream, ...rest }: Readonly<Record<string, unknown>>,
  place: Place | undefined,
  faults: ShapeFault[],
): DeclaredRoute | undefined {
  const name = place?.name ?? 'unnamed';
  const table = place?.table ?? name;
  const definition = {
    ...rest,
    ...(upstream !== undefined && { protocol: upstream }),
    id: name,
    host: '*',
    table,
  };
  const result = readRoute(definition);
  if (result.kind === 'route') return result.route;
  faults.push(...result.faults);
  return undefined;
}

export const listenerName = text(
  /^[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9])?$/,
  'a name of small letters, digits, ".", "_" and "-"',
);

const placeShape: Reader<Place> = where(
  shaped<Place>({
    name: needed(listenerName),
    address: may(
      where(text(/./, 'an address'), (address) =>
        isIP(address) ? undefined : 'must be an IP address of the edges, such as 0.0.0.0',
      ),
    ),
    port: needed(whole(0, 65_535)),
    protocol: needed(oneOf('http', 'https', 'tcp', 'tls-passthrough', 'udp')),
    table: may(read.tableName),
    acceptProxy: may(listOf(read.address)),
    minTls: may(oneOf('1.2', '1.3')),
    certificates: may(listOf(text(/^[!-~]{1,200}$/, 'the name of a certificate'), 1_000)),
    maxConnections: may(read.count),
    idleMs: may(read.ms),
  }),
  ({ protocol, minTls, certificates, acceptProxy, idleMs }) => {
    if (protocol !== 'https' && (minTls ?? certificates) !== undefined)
      return 'can have minTls and certificates only with the protocol https';
    if (protocol === 'udp' && acceptProxy !== undefined)
      return 'cannot have acceptProxy with the protocol udp';
    return isHttp(protocol) && idleMs !== undefined ? 'cannot have idleMs with http and https' : undefined;
  },
);
