import { haproxyLacks } from '../core/model/haproxy-lacks.ts';
import type { Route } from '../core/model/route.ts';
import type { Snapshot } from '../core/state/snapshot.ts';

const effects = { ignored: 'ignored', closed: 'no route', untold: 'no route' } as const;

/** What edges with another engine than our own do not do for these routes. */
export function engineFaults(snapshot: Snapshot, routes: Iterable<Route>) {
  const others = [...snapshot.table('agents').values()].filter(({ edgeEngine }) => edgeEngine === 'haproxy');
  if (others.length === 0) return [];
  const where = others.map(({ hostname }) => hostname).join(', ');
  return [...routes].flatMap((route) =>
    haproxyLacks(route).map(({ path, error, effect }) => ({
      app: route.service.appId,
      route: route.id,
      effect: effects[effect],
      reason: `${path} on ${where}: ${error}`,
    })),
  );
}
