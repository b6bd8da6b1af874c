import { appIdField, appIdScope } from '../../../core/model/app-id-table.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { fieldValue } from '../request/forward.ts';
import { comparablePath } from './comparable-path.ts';
import { conditionsHold } from './conditions.ts';
import { lenientPath } from './lenient-path.ts';
import { mayRefuse } from './may-refuse.ts';
import type { RouteTable } from './route-table.ts';
import type { TableRoute } from './table-route.ts';

/**
 * The route for a request to a host (lower case, no port, no trailing dot). Among the routes that fit, an exact host goes before the
 * longest wildcard suffix; then as `HostRoutes` orders them. `scope`: of the table, when it is not the shared one (`scopeOf`).
 * A route that restricts who may ask also takes what its endpoint may read as its own: a service behind `/` must not be a way past `/admin`.
 */
export function matchRoute(
  table: RouteTable,
  host: string,
  head: RequestHead,
  scope = '',
): TableRoute | undefined {
  const name = scope === appIdScope ? (fieldValue(head, appIdField) ?? '') : host;
  const route = matchHead(table, name, head, scope);
  const path = lenientPath(head.path);
  if (path === undefined) return route;
  const target = path + head.target.slice(head.path.length);
  const other = matchHead(table, name, { ...head, path, target }, scope);
  return other !== undefined && mayRefuse(other.declared.options ?? {}) ? other : route;
}

function matchHead(
  table: RouteTable,
  name: string,
  head: RequestHead,
  scope: string,
): TableRoute | undefined {
  const fits = ({ conditions }: TableRoute) => conditions === undefined || conditionsHold(conditions, head);
  return matchPath(table, name, head.path, fits, scope);
}

export function matchPath(
  table: RouteTable,
  host: string,
  given: string,
  fits: (route: TableRoute) => boolean = ({ conditions }) => conditions === undefined,
  scope = '',
): TableRoute | undefined {
  const path = comparablePath(given);
  const exact = table.hosts.get(scope + host)?.find(path, fits);
  if (exact?.order !== undefined) return earlier(exact, table.hosts.get(`${scope}*`)?.find(path, fits));
  if (exact !== undefined || (table.wildcards === 0 && scope === '')) return exact;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    // `*` stands for one or more whole labels, so `.example.org` with nothing before it does not match.
    const found = dot === 0 ? undefined : table.hosts.get(`${scope}*${host.slice(dot)}`)?.find(path, fits);
    if (found !== undefined) return found;
  }
  return table.hosts.get(`${scope}*`)?.find(path, fits);
}

/** Of two routes of one list. */
function earlier(one: TableRoute, other: TableRoute | undefined): TableRoute {
  return other?.order !== undefined && other.order < (one.order ?? 0) ? other : one;
}

/** A route that requests for this host could take wants to know certificates of clients. */
export function asksClients({ hosts, wildcards }: RouteTable, host: string, scope = ''): boolean {
  const names = wildcards === 0 && scope === '' ? [host] : [host, ...wildcardsFor(host), '*'];
  return names.some((name) => hosts.get(scope + name)?.asksClients);
}

function wildcardsFor(host: string): readonly string[] {
  const labels = host.split('.');
  return labels.slice(1).map((_, n) => `*.${labels.slice(n + 1).join('.')}`);
}
