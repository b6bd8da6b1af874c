import type { Pool } from '../../model/edgelb/pool.ts';
import type { Listener } from '../../model/listener.ts';
import type { Route } from '../../model/route.ts';
import type { PoolRecord } from '../tables.ts';
import type { SourceChooser } from './server-sources.ts';

/** Where every edge tells its statistics, whatever pools say. */
const usualPort = 9_090;
/** No frontend can be called so. */
export const statsName = '*stats';

export type StatsPlace = {
  readonly listener: Listener;
  readonly route: Route;
  readonly key: string;
  readonly chooser: SourceChooser;
};

/** A further place for the statistics of each edge, where a pool wants one (ingress.md A2.2): it leads to the usual one of the same edge. */
export function statsPlace(
  { haproxy: { stats } }: Pool,
  owner: string,
  ports: PoolRecord['ports'],
): StatsPlace | undefined {
  if (stats.bindPort === usualPort) return undefined;
  const key = `${owner}:${statsName}`;
  const port = stats.bindPort === 0 ? (ports[statsName] ?? 0) : stats.bindPort;
  return {
    listener: { id: key, owner, address: stats.bindAddress, port, protocol: 'http', table: key },
    route: {
      ...{ id: `${key}:route`, table: key, host: '*', pathPrefix: '/', owner },
      service: { appId: key, portIndex: 0 },
    },
    key,
    chooser: { of: () => undefined, fixed: [{ host: '127.0.0.1', port: usualPort }], notes: [] },
  };
}
