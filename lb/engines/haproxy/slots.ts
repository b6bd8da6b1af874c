import { createHash } from 'node:crypto';
import type { PoolEndpoint, RouteTable } from '../../edge/route-table.ts';
import type { TableRoute } from '../../edge/table-route.ts';
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
  servers: ReadonlyMap<string, Server>;
  /** Names of servers that get nothing new and still have to be taken away. */
  readonly leaving: Set<string>;
};

const mostWeight = 256;
const usualWeight = 100;

/** The servers of a route: the endpoints of its service, or of all that share its requests. */
export function serversOf(table: RouteTable, route: TableRoute): ReadonlyMap<string, Server> {
  const shares = route.shares ?? [{ poolKey: route.poolKey, share: 0 }];
  const pools = shares.map(({ poolKey, share }) => ({
    share,
    endpoints: table.pools.get(poolKey)?.endpoints ?? [],
  }));
  const filled = pools.filter(({ endpoints }) => endpoints.length > 0);
  const heaviest = Math.max(...filled.map(({ share, endpoints }) => share / endpoints.length));
  return new Map(
    filled.flatMap(({ share, endpoints }) => {
      const part = (share / endpoints.length / heaviest) * mostWeight;
      const weight = route.shares === undefined ? usualWeight : Math.max(1, Math.round(part));
      return endpoints.map((endpoint) => [serverName(endpoint), serverOf(endpoint, weight)] as const);
    }),
  );
}

/** The same for one endpoint wherever it is a server. */
export function serverName({ key }: PoolEndpoint): string {
  return `s${createHash('sha1').update(key).digest('hex').slice(0, 12)}`;
}

function serverOf(endpoint: PoolEndpoint, weight: number): Server {
  const { address, port, checkPort } = endpoint;
  return { name: serverName(endpoint), address, port, checkPort, weight };
}
