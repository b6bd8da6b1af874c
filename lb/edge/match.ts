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

/** A route that requests for this host could take wants to know certificates of clients. */
export function asksClients({ hosts, wildcards }: RouteTable, host: string): boolean {
  const names = wildcards === 0 ? [host] : [host, ...wildcardsFor(host), '*'];
  return names.some((name) => hosts.get(name)?.asksClients);
}

function wildcardsFor(host: string): readonly string[] {
  const labels = host.split('.');
  return labels.slice(1).map((_, n) => `*.${labels.slice(n + 1).join('.')}`);
}
