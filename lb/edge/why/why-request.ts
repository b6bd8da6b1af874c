import type { EdgeContext } from '../context.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { clientFacts } from '../request/client-facts.ts';
import { HeadReader } from '../request/head-reader.ts';
import { blockList } from '../routes/route-policy.ts';
import type { EdgeSettings } from '../settings.ts';
import { createScratch } from '../wire/scratch.ts';
import { broken, type WhyLink, type WhyQuestion } from './why.ts';
import { whyEndpoints } from './why-endpoints.ts';
import { whyPolicy } from './why-policy.ts';
import { whyRoute } from './why-route.ts';

/** What one worker would do with a request: route, policies, endpoints. Ends at the first broken link. Sends no request. */
export async function whyRequest(context: EdgeContext, question: WhyQuestion): Promise<readonly WhyLink[]> {
  const url = new URL(question.url);
  const head = whyHead(context.settings, url, question);
  if (typeof head === 'string')
    return [broken('request', `the edge would refuse it: ${head}`, 'ask for it in another way')];
  const table = context.table();
  const { route, link } = whyRoute(table, head, question.scope);
  if (route === undefined) return [link];
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const client = clientFacts(blockList([]), {
    remoteAddress: question.client ?? '127.0.0.1',
    scheme,
    port: 0,
  });
  const parts = { passwords: context.passwords, httpsPort: context.settings.httpsPort };
  const policy = await whyPolicy(parts, route.policy, [client, head]);
  if (!policy.ok) return [link, policy];
  const app = table.pools.get(route.poolKey)?.service.appId ?? route.poolKey;
  const pools = (route.shares ?? [route]).map(({ poolKey }) => context.upstreams.pool(poolKey));
  const pool = pools.find((one) => (one?.upstreams.length ?? 0) > 0) ?? pools[0];
  const rest = await whyEndpoints(pool, { app, now: context.clock.now() });
  return [link, policy, ...rest];
}

/** The request as the edge would read it, or why it would not. */
export function whyHead(settings: EdgeSettings, url: URL, question: WhyQuestion): RequestHead | string {
  const fields = (question.headers ?? []).map(({ name, value }) => `${name}: ${value}\r\n`).join('');
  const { method = 'GET' } = question;
  const text = `${method} ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${fields}\r\n`;
  const buffer = Buffer.from(text, 'latin1');
  // Its own memory: the walk waits, and the context's is for one call at a time.
  const reader = new HeadReader({
    settings,
    scratch: createScratch(settings.maxFields),
  });
  reader.read(buffer, 0, buffer.length);
  return reader.head ?? reader.fault.reason;
}
