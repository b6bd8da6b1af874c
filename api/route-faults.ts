import type { Route, RouteRule } from '../core/model/route.ts';
import { teamOf } from '../core/state/host-claims.ts';
import { poolLabelFaults } from '../core/state/pools/label-pools.ts';
import type { DirectoryPublisher } from '../core/state/publisher.ts';
import { readRouteLabels } from '../core/state/route-labels.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import { engineFaults } from './engine-faults.ts';

/** Something declared that does not do what its author may expect. */
export type RouteFault = {
  readonly app?: string;
  readonly route?: string;
  readonly label?: string;
  readonly effect: 'ignored' | 'no route' | 'never taken';
  readonly reason: string;
};

/** Labels that do not work, claims on hosts of others, and rules that another of the same requests goes before. */
export function routeFaults(snapshot: Snapshot, publisher: DirectoryPublisher): readonly RouteFault[] {
  const labels = [...snapshot.table('apps').values()].flatMap((app) =>
    readRouteLabels(app, publisher.labels).faults.map((fault) => ({ app: app.id, ...fault })),
  );
  const claims = publisher.hosts.refused.map(({ route, holder }) => ({
    app: route.service.appId,
    route: route.id,
    effect: 'no route' as const,
    reason: `${route.host} belongs to ${teamOf(holder.service.appId)}: it was claimed first by ${holder.owner}`,
  }));
  const routes = [...publisher.directory.routes.values()];
  const pools = poolLabelFaults(snapshot);
  return [...labels, ...pools, ...claims, ...shadowed(routes), ...engineFaults(snapshot, routes)];
}

/** Both take the same requests. */
export function sameRule(one: RouteRule, other: RouteRule): boolean {
  return ruleKey(one) === ruleKey(other);
}

/** Rules of a list are tried one after the other, and whoever wrote it sees them together. */
function shadowed(routes: readonly Route[]): readonly RouteFault[] {
  const unlisted = routes.filter(({ order }) => order === undefined);
  return [...Map.groupBy(unlisted, ruleKey).values()].flatMap((same) => {
    const [first, ...others] = same.toSorted(
      (a, b) => (b.weight ?? 0) - (a.weight ?? 0) || (a.id < b.id ? -1 : 1),
    );
    return others.map((route) => ({
      app: route.service.appId,
      route: route.id,
      effect: 'never taken' as const,
      reason: `${first?.owner} has the same host and path and goes before it`,
    }));
  });
}

function ruleKey({ table, host, pathPrefix, pathKind, ignoreCase, conditions = {} }: RouteRule): string {
  const path = ignoreCase ? pathPrefix.toLowerCase() : pathPrefix;
  const { methods = [], headers = [], query = [] } = conditions;
  return JSON.stringify([table, host, path, pathKind, ignoreCase, methods.toSorted(), headers, query]);
}
