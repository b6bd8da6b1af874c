import type { HashBy, RouteOptions } from '../../../core/model/route.ts';
import type { Host } from '../http1/host.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { bothChanges } from '../routes/field-changes.ts';
import { drawShare } from '../routes/pool-key.ts';
import { movedLocation, publicLocation } from '../routes/rewrite.ts';
import type { RoutePolicy } from '../routes/route-policy.ts';
import { readCookies, type StickyCookies } from '../routes/sticky.ts';
import type { TableRoute } from '../routes/table-route.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { bestCoding } from './accept-encoding.ts';
import { type ClientFacts, policyRequest } from './client-facts.ts';
import type { Forward } from './decide.ts';
import type { ExchangeRequest } from './exchange.ts';
import { type AnswerEdits, fieldValue, forwardRequest, valuesOf } from './forward.ts';
import { oneForwardLess } from './max-forwards.ts';
import { upgradeOf } from './upgrade.ts';

export type ForwardOptions = {
  readonly requestId: string;
  readonly httpsPort: number | undefined;
  /** How the front wants the answer's content. */
  readonly contentAs: 'coded' | 'payload';
  readonly upstreams: Upstreams;
  /** Numbers in [0, 1). */
  readonly chance: () => number;
};

const noOptions: RouteOptions = {};

/** What a request is for its endpoint, once a route was decided on. */
export function exchangeRequest(
  { route, lease, changes }: Forward,
  [client, head]: readonly [ClientFacts, RequestHead],
  options: ForwardOptions,
): ExchangeRequest {
  const { policy, tally } = route;
  const upgrade = upgradeOf(head);
  const sticky = policy === undefined ? undefined : stickyOf(policy, head);
  const forwarded = forwardRequest(policy === undefined ? head : forService(head, policy), {
    client,
    requestId: options.requestId,
    upgrade,
    hostText: head.host?.text,
    cookie: sticky?.others,
    changes: bothChanges(bothChanges(policy?.requestChanges, changes), oneForwardLess(head)),
  });
  return {
    method: head.method,
    forwarded,
    upgrade,
    contentAs: options.contentAs,
    tally,
    poolKey: poolFor(route, sticky, options),
    balance: { hashKey: hashKey(policy?.options.hashBy, client, head) },
    edits: policy && editsOf(policy, policyRequest(client, head, options.httpsPort), sticky),
    lease,
    ends: client.ends,
    options: policy?.options ?? noOptions,
    encoding: policy?.options.compress && bestCoding(fieldValue(head, 'accept-encoding')),
  };
}

/** A client that stays with an endpoint goes to the pool that has it; others are drawn. */
function poolFor(
  { poolKey, shares }: TableRoute,
  sticky: StickyCookies | undefined,
  { upstreams, chance }: ForwardOptions,
): string {
  if (shares === undefined) return poolKey;
  const { wanted } = sticky ?? {};
  const home =
    wanted === undefined ? undefined : shares.find((one) => upstreams.hasSticky(one.poolKey, wanted));
  return (home ?? drawShare(shares, chance()))?.poolKey ?? poolKey;
}

function stickyOf({ options }: RoutePolicy, head: RequestHead): StickyCookies | undefined {
  return options.sticky && readCookies(valuesOf(head, 'cookie', '; '), options.stickyCookie);
}

function hashKey(by: HashBy | undefined, client: ClientFacts, head: RequestHead): string {
  if (by === undefined) return client.address;
  return hashedText(by, head) ?? client.address;
}

/** Undefined where the request has no such thing: then the client's address spreads it. */
function hashedText({ from, name = '' }: HashBy, head: RequestHead): string | undefined {
  switch (from) {
    case 'header':
      return fieldValue(head, name.toLowerCase());
    case 'cookie':
      return readCookies(valuesOf(head, 'cookie', '; '), name).wanted;
    case 'query':
      return new URLSearchParams(head.target.slice(head.path.length)).get(name) ?? undefined;
    case 'path':
      return head.path;
    case 'address':
      return undefined;
  }
}

function editsOf(
  { options, answerChanges }: RoutePolicy,
  { hostText, scheme }: { readonly hostText: string; readonly scheme: string },
  sticky: StickyCookies | undefined,
): AnswerEdits {
  const { stickyCookie: name } = options;
  return {
    hsts: options.hsts === true && scheme === 'https',
    location: locationEdit(options, hostText),
    sticky: sticky && { sent: sticky.wanted, name },
    changes: answerChanges,
  };
}

function locationEdit(
  { locationPrefix, rewriteLocation }: RouteOptions,
  hostText: string,
): AnswerEdits['location'] {
  if (rewriteLocation !== undefined) return (value) => movedLocation(rewriteLocation, value, hostText);
  if (locationPrefix !== undefined) return (value) => publicLocation(locationPrefix, value, hostText);
  return undefined;
}

/** The head as the service gets it: a route that strips a prefix speaks to it under its own host. */
function forService(head: RequestHead, { options, host, changePath }: RoutePolicy): RequestHead {
  const { rewriteHost, stripPrefix } = options;
  if (rewriteHost === undefined && changePath === undefined) return head;
  const own: Host | undefined = host.startsWith('*') ? head.host : { text: host, name: host };
  const plain = stripPrefix === undefined ? head.host : own;
  const told = rewriteHost === undefined ? plain : { text: rewriteHost, name: rewriteHost };
  return { ...head, target: targetFor(head, changePath), host: told, absolute: true };
}

function targetFor({ target, path }: RequestHead, changePath: RoutePolicy['changePath']): string {
  if (changePath === undefined || target === '*') return target;
  return changePath(path) + target.slice(path.length);
}
