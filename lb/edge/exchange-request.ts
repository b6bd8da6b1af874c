import { type ClientFacts, policyRequest } from './client-facts.ts';
import type { ExchangeRequest } from './exchange.ts';
import { type AnswerEdits, forwardRequest, valuesOf } from './forward.ts';
import { requestFraming } from './http1/body.ts';
import type { RequestHead } from './http1/request-head.ts';
import { publicLocation, type RoutePolicy, strippedTarget } from './route-policy.ts';
import type { TableRoute } from './route-table.ts';
import { readCookies, type StickyCookies } from './sticky.ts';

export type ForwardOptions = {
  readonly requestId: string;
  readonly httpsPort: number | undefined;
  /** How the front wants the answer's content. */
  readonly contentAs: 'coded' | 'payload';
};

/** What a request is for its endpoint, once a route was decided on. */
export function exchangeRequest(
  route: TableRoute,
  [client, head]: readonly [ClientFacts, RequestHead],
  { requestId, httpsPort, contentAs }: ForwardOptions,
): ExchangeRequest {
  const { policy, tally, poolKey } = route;
  const upgrade = upgradeOf(head);
  const sticky = policy?.options.sticky && readCookies(valuesOf(head, 'cookie', '; '));
  const forwarded = forwardRequest(policy === undefined ? head : forService(head, policy), {
    clientAddress: client.address,
    scheme: client.scheme,
    port: client.port,
    trusted: client.trusted,
    requestId,
    upgrade,
    hostText: head.host?.text,
    cookie: sticky?.others,
  });
  return {
    method: head.method,
    forwarded,
    upgrade: upgrade !== undefined,
    contentAs,
    tally,
    poolKey,
    balance: { hashKey: client.address },
    edits: policy && editsOf(policy, policyRequest(client, head, httpsPort), sticky),
  };
}

function editsOf(
  { options }: RoutePolicy,
  { hostText, scheme }: { readonly hostText: string; readonly scheme: string },
  sticky: StickyCookies | undefined,
): AnswerEdits {
  const { locationPrefix: prefix } = options;
  return {
    hsts: options.hsts === true && scheme === 'https',
    location: prefix === undefined ? undefined : (value) => publicLocation(prefix, value, hostText),
    sticky: sticky && { sent: sticky.wanted },
  };
}

/** The head as the service gets it: a route that strips a prefix speaks to it under its own host. */
function forService(head: RequestHead, { options, host }: RoutePolicy): RequestHead {
  if (options.stripPrefix === undefined) return head;
  const name = host.startsWith('*') ? head.host : { text: host, name: host };
  return { ...head, target: strippedTarget(options, head.target), host: name, absolute: true };
}

/** Only a GET without content may upgrade; `h2c` is never passed on, since the endpoint would leave our framing. */
function upgradeOf(head: RequestHead): string | undefined {
  const plain = head.upgrade && head.minor === 1 && head.method === 'GET' && requestFraming(head) === 'none';
  if (!plain) return undefined;
  const protocol = valuesOf(head, 'upgrade');
  return protocol === '' || /(^|[\s,])(h2c?|tls)([/\s,]|$)/i.test(protocol) ? undefined : protocol;
}
