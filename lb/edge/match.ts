import type { RouteTable, TableRoute } from './route-table.ts';

/**
 * The route for a host (lower case, no port, no trailing dot) and a path. Among the routes that match both, an exact
 * host goes before the longest wildcard suffix, then the longest path prefix wins, then weight.
 */
export function matchRoute(table: RouteTable, host: string, path: string): TableRoute | undefined {
  const exact = matchPath(table.hosts.get(host), path);
  if (exact !== undefined || table.wildcards === 0) return exact;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    // `*` stands for one or more whole labels, so `.example.org` with nothing before it does not match.
    const found = dot === 0 ? undefined : matchPath(table.hosts.get(`*${host.slice(dot)}`), path);
    if (found !== undefined) return found;
  }
  return matchPath(table.hosts.get('*'), path);
}

function matchPath(routes: readonly TableRoute[] | undefined, path: string): TableRoute | undefined {
  if (routes === undefined) return undefined;
  for (const route of routes) {
    if (prefixMatches(route.pathPrefix, route.ignoreCase ? path.toLowerCase() : path)) return route;
  }
  return undefined;
}

/** `/api` matches `/api` and `/api/x` but not `/apix`; `/api/` matches only below `/api/`. */
function prefixMatches(prefix: string, path: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith('/') || path.length === prefix.length || path.charCodeAt(prefix.length) === 47;
}
