import type { RE2JS } from 're2js';
import type { Route } from '../../../core/model/route.ts';
import { RouteTally } from '../telemetry/route-tally.ts';
import { type Conditions, compileConditions, countConditions } from './conditions.ts';
import { expression } from './expression.ts';
import { type PoolShare, poolKey, shareOf } from './pool-key.ts';
import { policyOf, type RoutePolicy } from './route-policy.ts';

/** A route made ready to be compared with requests. */
export type TableRoute = {
  readonly id: string;
  /** As it was given. */
  readonly declared: Route;
  readonly kind: 'exact' | 'prefix' | 'begins' | 'regex';
  /** Lower case when case is ignored. */
  readonly path: string;
  readonly regex: RE2JS | undefined;
  readonly ignoreCase: boolean;
  readonly conditions: Conditions | undefined;
  readonly conditionCount: number;
  readonly weight: number;
  /** Looked at before the path; undefined: narrower paths go first. */
  readonly rank: number | undefined;
  /** Its place in an ordered list; undefined: the narrower rule goes first. */
  readonly order: number | undefined;
  /** The pool of the route's own service. */
  readonly poolKey: string;
  /** Undefined: all goes to the one pool. */
  readonly shares: readonly PoolShare[] | undefined;
  readonly policy: RoutePolicy | undefined;
  /** Counts this route's answers, from one table to the next. */
  readonly tally: RouteTally;
};

/**
 * A route that cannot be made ready (of a newer version, or damaged) stops no others. If its rule can be kept, its requests are told that
 * it cannot be served: it may restrict who gets what a wider route would give. Without its rule it takes none.
 */
export function tableRoute(route: Route, tally = new RouteTally(route.id)): TableRoute {
  const closed = { ...route, options: { maintenance: { text: 'The edge cannot carry out this route.' } } };
  const { conditions: _, ...unruly } = { ...closed, pathKind: 'exact' as const, pathPrefix: '' };
  for (const attempt of [route, closed]) {
    try {
      return readyRoute(attempt, tally);
    } catch {}
  }
  return readyRoute(unruly, tally);
}

function readyRoute(route: Route, tally: RouteTally): TableRoute {
  const { id, pathPrefix, pathKind: kind = 'prefix', ignoreCase = false, weight = 0, conditions } = route;
  // What each request looks at first, side by side in memory.
  return {
    kind,
    path: ignoreCase && kind !== 'regex' ? pathPrefix.toLowerCase() : pathPrefix,
    regex: kind === 'regex' ? expression(pathPrefix, ignoreCase) : undefined,
    ignoreCase,
    conditions: conditions && compileConditions(conditions),
    order: route.order,
    rank: route.rank,
    poolKey: poolKey(route.service, route.options),
    shares: route.options?.split && shareOf(route),
    policy: policyOf(route),
    tally,
    id,
    declared: route,
    conditionCount: countConditions(conditions),
    weight,
  };
}
