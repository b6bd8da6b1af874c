import type { RequestHead } from '../http1/request-head.ts';
import { comparablePath } from '../routes/comparable-path.ts';
import { conditionsHold } from '../routes/conditions.ts';
import { pathFits } from '../routes/host-routes.ts';
import { matchRoute } from '../routes/match.ts';
import type { RouteTable } from '../routes/route-table.ts';
import type { TableRoute } from '../routes/table-route.ts';
import { broken, good, type WhyLink } from './why.ts';

const mostNear = 5;

/** Which rule won, and which nearly did. */
export function whyRoute(
  table: RouteTable,
  head: RequestHead,
  scope = '',
): { readonly route: TableRoute | undefined; readonly link: WhyLink } {
  if (table.revision === 0)
    return {
      route: undefined,
      link: broken('route', 'the edge has no routes yet', 'wait for its agent to reach a master'),
    };
  const host = head.host?.name ?? '';
  const route = matchRoute(table, host, head, scope);
  const near = hostsOf(table, host, scope)
    .flatMap((name) => (table.hosts.get(scope + name)?.routes ?? []).map((other) => ({ name, other })))
    .filter(({ other }) => other !== route)
    .slice(0, mostNear)
    .map(({ name, other }) => `${other.id} (${name}${other.path}): ${whyNot(other, head)}`);
  const nearly = near.length === 0 ? '' : `; nearly: ${near.join('; ')}`;
  if (route !== undefined) return { route, link: good('route', `${route.id}${nearly}`) };
  const none = near.length === 0 ? `no route has the host ${host}` : `no route of ${host} fits this request`;
  const next =
    near.length === 0
      ? `add one: weir route add ${host} APP (weir route list shows what there is)`
      : 'ask as one of them says, or change its rule: weir route show ROUTE';
  return { route: undefined, link: broken('route', `${none}${nearly}`, next) };
}

/** Hosts as routes write them, the most fitting first. */
function hostsOf(table: RouteTable, host: string, scope: string): readonly string[] {
  const labels = host.split('.');
  const wildcards = labels.slice(1).map((_, n) => `*.${labels.slice(n + 1).join('.')}`);
  return [host, ...wildcards, '*'].filter((name) => table.hosts.has(scope + name));
}

function whyNot(route: TableRoute, head: RequestHead): string {
  if (!pathFits(route, comparablePath(head.path))) return `its path (${route.kind}) does not fit`;
  const { conditions } = route;
  if (conditions === undefined || conditionsHold(conditions, head)) return 'fits too, comes after';
  const { methods, headers, query } = conditions;
  const none = { methods: undefined, headers: [], query: [] };
  if (!conditionsHold({ ...none, methods }, head)) return `wants method ${[...(methods ?? [])].join(' or ')}`;
  const field = headers.find((one) => !conditionsHold({ ...none, headers: [one] }, head));
  if (field !== undefined) return `its condition on the field ${field.name} does not hold`;
  const name = query.find((one) => !conditionsHold({ ...none, query: [one] }, head))?.name;
  return `its condition on the query parameter ${name} does not hold`;
}
