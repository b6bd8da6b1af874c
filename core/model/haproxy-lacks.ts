import { isIP } from 'node:net';
import { loosePcreOf, pcreOf } from './pcre.ts';
import type { PathCondition, Route, RouteOptions, UpstreamTls, ValueCondition } from './route.ts';

/** What the engine `haproxy` does not do for a route. */
export type EngineLack = {
  /** Of the route's definition. */
  readonly path: string;
  /** Begins with "the engine haproxy does not". */
  readonly error: string;
  /** The route is closed: it may restrict what would be open otherwise. `untold`: its rule cannot even be told, so it takes nothing. */
  readonly effect: 'ignored' | 'closed' | 'untold';
};

/** Statuses after which HAProxy 2.6 can send a request again. */
const retried = new Set([401, 403, 404, 408, 425, 500, 501, 502, 503, 504]);
/** A page must fit into a buffer with its head. */
export const longestPage = 12_000;
/** What HAProxy can say in the arguments of its fetches. */
export const plainName = /^[A-Za-z0-9_.-]+$/;

/** Everything of this route that HAProxy does not do, or not as it is meant. Empty: all of it. */
export function haproxyLacks(route: Route): readonly EngineLack[] {
  const { options = {} } = route;
  return [...ruleLacks(route), ...accessLacks(options), ...tlsLacks(options.tls), ...passingLacks(options)];
}

function ruleLacks({ pathKind, pathPrefix, conditions = {} }: Route): readonly EngineLack[] {
  const { headers = [], query = [], hostLike, paths = [] } = conditions;
  const path = pathKind === 'regex' ? expressionLack('/path', pathPrefix) : [];
  return [
    ...path,
    ...headers.flatMap((one, n) => conditionLacks(`/headers/${n}`, one)),
    ...query.flatMap((one, n) => conditionLacks(`/query/${n}`, one)),
    ...(hostLike === undefined ? [] : expressionLack('/hostLike', hostLike)),
    ...paths.flatMap((one, n) => pathLacks(`/paths/${n}`, one)),
  ];
}

function pathLacks(path: string, condition: PathCondition): readonly EngineLack[] {
  return 'like' in condition ? expressionLack(`${path}/like`, condition.like) : [];
}

function conditionLacks(path: string, { name, regex, exact }: ValueCondition): readonly EngineLack[] {
  const bad = !plainName.test(name);
  return [
    ...(bad
      ? [lack(`${path}/name`, 'take a name with other characters than A-Z a-z 0-9 _ . -', 'untold')]
      : []),
    ...(exact !== undefined && /[^ -~]/.test(exact)
      ? [lack(`${path}/exact`, 'compare with other characters than visible ones of ASCII', 'untold')]
      : []),
    ...(regex === undefined ? [] : expressionLack(`${path}/regex`, regex)),
  ];
}

function expressionLack(path: string, source: string): readonly EngineLack[] {
  const read = pcreOf(source);
  return 'fault' in read ? [lack(path, `take this expression: it ${read.fault}`, 'untold')] : [];
}

function accessLacks({ forwardAuth, tls, protocol, sendProxy }: RouteOptions): readonly EngineLack[] {
  if (forwardAuth === undefined || (tls ?? protocol ?? sendProxy) === undefined) return [];
  return [
    lack('/forwardAuth', 'ask another service about access by TLS, HTTP/2 or with a PROXY header', 'closed'),
  ];
}

/** An address in a certificate is nothing that HAProxy looks for, and whoever shows another one must not be taken. */
function tlsLacks(tls: UpstreamTls | undefined): readonly EngineLack[] {
  const { serverName = '', insecure } = tls ?? {};
  if (tls === undefined || insecure || (serverName !== '' && isIP(serverName) === 0)) return [];
  return [lack('/tls', 'look for addresses in certificates of endpoints: it needs serverName', 'closed')];
}

function passingLacks(options: RouteOptions): readonly EngineLack[] {
  const { mirror, compress, retries, timeouts, check, rewritePath, maintenance } = options;
  const { hashBy, sticky, stickyCookie } = options;
  const lacks: EngineLack[] = [];
  const ignore = (path: string, what: string) => lacks.push(lack(path, what, 'ignored'));
  if (mirror !== undefined) ignore('/mirror', 'send copies of requests');
  if (compress !== undefined)
    ignore('/compress', 'compress by zstd or brotli, and has no least size: only gzip');
  if (retries?.budgetPercent !== undefined) ignore('/retries/budgetPercent', 'have a budget of retries');
  if (retries?.statuses?.some((status) => !retried.has(status)))
    ignore('/retries/statuses', `send again after other statuses than ${[...retried].join(', ')}`);
  const names = 'take a name with other characters than A-Z a-z 0-9 _ . -';
  if (!plainName.test(hashBy?.name ?? 'plain')) ignore('/hashBy/name', `${names}: it hashes by address`);
  if (sticky && !plainName.test(stickyCookie ?? 'plain'))
    ignore('/stickyCookie', `${names}: clients do not stay with their endpoints`);
  if (timeouts?.totalMs !== undefined) ignore('/timeouts/totalMs', 'bound the whole time of a request');
  if (timeouts?.firstByteMs !== undefined && timeouts.idleMs !== undefined)
    ignore('/timeouts', 'tell firstByteMs from idleMs: the longer of the two holds for both');
  if ((check?.panicPercent ?? 0) > 0)
    ignore('/check/panicPercent', 'use sick endpoints before the last one is sick');
  if ((maintenance?.text?.length ?? 0) > longestPage)
    ignore('/maintenance/text', `give a page of more than ${longestPage} characters: it gives a short one`);
  if (rewritePath !== undefined && 'regex' in rewritePath) {
    const read = loosePcreOf(rewritePath.regex);
    if ('fault' in read)
      lacks.push(lack('/rewritePath/regex', `take this expression: it ${read.fault}`, 'closed'));
  }
  return lacks;
}

function lack(path: string, what: string, effect: EngineLack['effect']): EngineLack {
  return { path, error: `the engine haproxy does not ${what}`, effect };
}
