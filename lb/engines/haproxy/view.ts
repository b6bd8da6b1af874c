import type { RouteTable } from '../../edge/routes/route-table.ts';
import type { TableRoute } from '../../edge/routes/table-route.ts';
import { partsOf } from './scopes.ts';

/** What of a table one part of the configuration carries out: the routes of these scopes. */
export type View = { readonly table: RouteTable; readonly scopes: ReadonlySet<string> };

export function owns({ scopes }: View, claim: string): boolean {
  return scopes.has(partsOf(claim).scope);
}

export function routesOf(view: View, claim: string): readonly TableRoute[] {
  return owns(view, claim) ? (view.table.hosts.get(claim)?.routes ?? []) : [];
}

/** Keys of hosts whose routes may be others than before. */
export function changedClaims(before: View, after: View): readonly string[] {
  const changed = before.table.hosts
    .differences(after.table.hosts)
    .filter((claim) => owns(before, claim) || owns(after, claim));
  const moved = before.scopes.symmetricDifference(after.scopes);
  if (moved.size === 0) return changed;
  const all = [...before.table.hosts, ...after.table.hosts].map(([claim]) => claim);
  return [...new Set([...changed, ...all.filter((claim) => moved.has(partsOf(claim).scope))])];
}
