import { comparablePath } from './comparable-path.ts';
import { conditionsHold } from './conditions.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { RouteTable } from './route-table.ts';
import type { TableRoute } from './table-route.ts';

/**
 * The route for a request to a host (lower case, no port, no trailing dot). Among the routes that fit, an exact host goes before the
 * longest wildcard suffix; then as `HostRoutes` orders them.
 */
export function matchRoute(table: RouteTable, host: string, head: RequestHead): TableRoute | undefined {
  return matchPath(table, host, head.path, ({ conditions }) => {
    return conditions === undefined || conditionsHold(conditions, head);
  });
}

export function matchPath(
  table: RouteTable,
  host: string,
  given: string,
  fits: (route: TableRoute) => boolean = ({ conditions }) => conditions === undefined,
): TableRoute | undefined {
  const path = comparablePath(given);
  const exact = table.hosts.get(host)?.find(path, fits);
  if (exact !== undefined || table.wildcards === 0) return exact;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    // `*` stands for one or more whole labels, so `.example.org` with nothing before it does not match.
    const found = dot === 0 ? undefined : table.hosts.get(`*${host.slice(dot)}`)?.find(path, fits);
    if (found !== undefined) return found;
  }
  return table.hosts.get('*')?.find(path, fits);
}
