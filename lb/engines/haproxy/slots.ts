import { createHash } from 'node:crypto';
import type { PoolEndpoint, RouteTable } from '../../edge/routes/route-table.ts';
import type { TableRoute } from '../../edge/routes/table-route.ts';
import { cookieOf, serverName as shownName } from '../../server-name.ts';
import type { Server, Shape } from './sections.ts';

/** A backend of the configuration: carries out one route at a time, or waits for one of its shape. */
export type Slot = {
  readonly name: string;
  /** Changes only when HAProxy refuses it. */
  shape: Shape;
  key: string;
  /** It is in the configuration of the present process. */
  isRendered: boolean;
  /** Undefined: it waits. */
  route: TableRoute | undefined;
  /** Id of the route that it has, or had last: what it still carries is that one's. */
  lastRoute: string | undefined;
  servers: ReadonlyMap<string, Server>;
  /** Where a service is asked about its requests; '' for nowhere. */
  asked: string;
  /** Names of servers that get nothing new and still have to be taken away. */
  readonly leaving: Set<string>;
};

const mostWeight = 256;
const usualWeight = 100;

/** Of a host; undefined: not known. An address is its own. */
export type AddressOf = (host: string) => string | undefined;

/** The servers of a route: the endpoints of its service, or of all that share its requests. */
export function serversOf(
  table: RouteTable,
  route: TableRoute,
  addressOf: AddressOf,
): ReadonlyMap<string, Server> {
  const shares = route.shares ?? [{ poolKey: route.poolKey, share: 1 }];
  const pools = shares.map(({ poolKey, share }) => ({
    share,
    endpoints: (table.pools.get(poolKey)?.endpoints ?? []).flatMap((one) => placed(one, addressOf)),
  }));
  const parts = pools.flatMap(({ share, endpoints }) => partsOf(share, endpoints));
  const isEven = parts.every(({ part }) => part === parts[0]?.part);
  const heaviest = Math.max(...parts.map(({ part }) => part));
  // A backup is to be taken before what is sick.
  const isSpared =
    route.declared.options?.check !== undefined && !parts.some(({ endpoint }) => endpoint.backup);
  return new Map(
    parts.map(({ endpoint, part }) => {
      const weight = isEven ? usualWeight : Math.max(1, Math.round((part / heaviest) * mostWeight));
      const server = { ...serverOf(endpoint), weight, isSpared };
      return [server.name, server] as const;
    }),
  );
}

/** The same for one endpoint wherever it is a server. */
export function serverName({ key }: PoolEndpoint): string {
  return `s${createHash('sha1').update(key).digest('hex').slice(0, 12)}`;
}

/** One whose host nobody knows takes no requests. */
export function placed(endpoint: PoolEndpoint, addressOf: AddressOf): readonly PoolEndpoint[] {
  const address = addressOf(endpoint.address);
  if (address === endpoint.address) return [endpoint];
  return address === undefined ? [] : [{ ...endpoint, address }];
}

/** Which part of the requests each gets: of its pool's share, by its weight. */
function partsOf(share: number, endpoints: readonly PoolEndpoint[]) {
  const all = endpoints.reduce((sum, { weight = 1 }) => sum + weight, 0);
  return endpoints.map((endpoint) => ({ endpoint, part: (share * (endpoint.weight ?? 1)) / all }));
}

function serverOf(endpoint: PoolEndpoint): Omit<Server, 'weight' | 'isSpared'> {
  const { address, port, checkPort, backup = false, cookie = cookieOf(shownName(endpoint)) } = endpoint;
  return { name: serverName(endpoint), address, port, checkPort, isBackup: backup, cookie };
}
