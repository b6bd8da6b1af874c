import type { Lease } from '../access/limiter.ts';
import type { EdgeContext } from '../context.ts';
import { matchPath } from '../routes/match.ts';
import { drawShare } from '../routes/pool-key.ts';
import { listed } from '../routes/route-policy.ts';
import type { TableRoute } from '../routes/table-route.ts';

export type StreamQuestion = {
  /** Of the listener's table. */
  readonly scope: string;
  /** '' where nobody says one. */
  readonly serverName: string;
  /** The client's. */
  readonly address: string;
};

export type StreamRoute =
  | {
      readonly kind: 'forward';
      readonly route: TableRoute;
      readonly poolKey: string;
      readonly lease: Lease | undefined;
    }
  /** For people. */
  | { readonly kind: 'refuse'; readonly why: string };

/** Where a connection or a flow goes: by the name of the server, else to the route of every host. */
export function streamRoute(
  context: EdgeContext,
  { scope, serverName, address }: StreamQuestion,
): StreamRoute {
  const route = matchPath(context.table(), serverName, '/', () => true, scope);
  if (route === undefined) return { kind: 'refuse', why: 'no route' };
  const { policy } = route;
  if (policy === undefined) return { kind: 'forward', route, poolKey: route.poolKey, lease: undefined };
  const { allowed, denied, limiter } = policy;
  const barred = denied !== undefined && listed(denied, address);
  if (barred || (allowed !== undefined && !listed(allowed, address)))
    return { kind: 'refuse', why: 'this address may not use the service' };
  if (policy.maintenance !== undefined) return { kind: 'refuse', why: 'maintenance' };
  const lease = limiter?.admit(address, context.clock.now());
  if (typeof lease === 'string') {
    context.counters.limited[lease]++;
    return { kind: 'refuse', why: `limit of the ${lease}` };
  }
  const poolKey = (route.shares && drawShare(route.shares, context.chance())?.poolKey) ?? route.poolKey;
  return { kind: 'forward', route, poolKey, lease };
}
