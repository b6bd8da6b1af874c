import type { Clock } from '../../../core/kit/clock.ts';
import { haproxyLacks } from '../../../core/model/haproxy-lacks.ts';
import { Passwords } from '../../edge/access/basic-auth.ts';
import { plainAddress } from '../../edge/request/client-facts.ts';
import type { RouteTable } from '../../edge/routes/route-table.ts';
import type { TableRoute } from '../../edge/routes/table-route.ts';
import type { EdgeSettings } from '../../edge/settings.ts';
import { broken, good, type WhyLink, type WhyQuestion } from '../../edge/why/why.ts';
import { whyEndpoints } from '../../edge/why/why-endpoints.ts';
import { whyPolicy } from '../../edge/why/why-policy.ts';
import { whyHead } from '../../edge/why/why-request.ts';
import { whyRoute } from '../../edge/why/why-route.ts';
import { serverName } from './slots.ts';

export type WhyParts = {
  readonly clock: Clock;
  readonly settings: EdgeSettings;
  readonly table: RouteTable;
  /** Servers of a route that HAProxy takes for sick. */
  readonly sick: (routeId: string) => Promise<ReadonlySet<string>>;
};

/** What HAProxy would do with a request: route, policies, endpoints. Ends at the first broken link. Sends no request. */
export async function whyHaproxy(parts: WhyParts, question: WhyQuestion): Promise<readonly WhyLink[]> {
  const { settings, table } = parts;
  const url = new URL(question.url);
  const head = whyHead(settings, url, question);
  if (typeof head === 'string')
    return [broken('request', `the edge would refuse it: ${head}`, 'ask for it in another way')];
  const { route, link } = whyRoute(table, head, question.scope);
  if (route === undefined) return [link];
  const closed = haproxyLacks(route.declared).find(({ effect }) => effect !== 'ignored');
  if (closed !== undefined)
    return [link, broken('policy', closed.error, 'change the route, or use the engine builtin')];
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const address = plainAddress(question.client ?? '127.0.0.1');
  const client = { address, scheme, port: 0, trusted: false, forwarded: '' } as const;
  const passwords = { passwords: new Passwords(), httpsPort: settings.httpsPort };
  const policy = await whyPolicy(passwords, route.policy, [client, head]);
  if (!policy.ok) return [link, policy];
  return [link, policy, ...lackLinks(route), ...(await endpointLinks(parts, route))];
}

function lackLinks({ declared }: TableRoute): readonly WhyLink[] {
  const ignored = haproxyLacks(declared);
  return ignored.length === 0 ? [] : [good('policy', ignored.map(({ error }) => error).join('; '))];
}

async function endpointLinks(
  { clock, table, sick }: WhyParts,
  route: TableRoute,
): Promise<readonly WhyLink[]> {
  const app = table.pools.get(route.poolKey)?.service.appId ?? route.poolKey;
  const pools = (route.shares ?? [route]).map(({ poolKey }) => table.pools.get(poolKey)?.endpoints ?? []);
  const endpoints = pools.find((one) => one.length > 0) ?? [];
  const down = await sick(route.id);
  const upstreams = endpoints.map((endpoint) => ({
    endpoint,
    ejectedUntil: 0,
    lastFault: undefined,
    faultStreak: 0,
  }));
  const checks = { isSick: ({ endpoint }: (typeof upstreams)[number]) => down.has(serverName(endpoint)) };
  return whyEndpoints({ upstreams, checks }, { app, now: clock.now() });
}
