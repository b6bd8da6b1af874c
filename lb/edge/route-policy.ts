import { BlockList, isIPv6 } from 'node:net';
import type { Route, RouteOptions } from '../../core/model/directory.ts';

/** What a route does with requests and answers besides passing them on; the options of a route, made ready to use. */
export type RoutePolicy = {
  readonly options: RouteOptions;
  /** The route's host as declared. */
  readonly host: string;
  readonly allowed: BlockList | undefined;
};

/** Undefined for a route without options. Throws on addresses that are none; the API lets none through. */
export function policyOf({ options, host }: Route): RoutePolicy | undefined {
  if (options === undefined) return undefined;
  return { options, host, allowed: options.allow && blockList(options.allow) };
}

export type PolicyRequest = {
  readonly scheme: 'http' | 'https';
  readonly clientAddress: string;
  /** Host as the client wrote it. */
  readonly hostText: string;
  readonly path: string;
  readonly target: string;
  /** Where the edge serves TLS. */
  readonly httpsPort: number | undefined;
};

/** An answer of the edge itself instead of the service's. */
export type PolicyAnswer = {
  readonly status: number;
  readonly text: string;
  /** Further field lines, each with its CRLF. */
  readonly fields?: string | undefined;
};

/** Whether the edge answers by itself: who may not ask is told so first, then redirects. */
export function policyAnswer(policy: RoutePolicy, request: PolicyRequest): PolicyAnswer | undefined {
  const { options, allowed } = policy;
  const { path, scheme, clientAddress } = request;
  if (allowed !== undefined && !listed(allowed, clientAddress))
    return { status: 403, text: 'This address may not use the service.' };
  if (options.redirectToHttps && scheme === 'http') return moved(secureLocation(request));
  if (options.rootTo !== undefined && path === '/' && options.rootTo !== '/') return moved(options.rootTo);
  return undefined;
}

export function passwordAnswer(realm: string): PolicyAnswer {
  const fields = `WWW-Authenticate: Basic realm="${realm}", charset="UTF-8"\r\n`;
  return { status: 401, text: 'The service asks for a user name and a password.', fields };
}

/** The target for the service: `/in/x?q` without the prefix `/in` is `/x?q`. */
export function strippedTarget(options: RouteOptions, target: string): string {
  const prefix = options.stripPrefix?.replace(/\/+$/, '') ?? '';
  const rest = target.slice(prefix.length);
  if (!target.startsWith(prefix) || !/^([/?]|$)/.test(rest)) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** A `Location` of the service as the public must see it: with the prefix, if it leads back to the same host. */
export function publicLocation(prefix: string, location: string, hostText: string): string {
  const [, authority, path] = /^(?:https?:\/\/([^/?#]*))?(\/(?!\/).*)$/i.exec(location) ?? [];
  if (path === undefined) return location;
  const foreign = authority !== undefined && hostName(authority) !== hostName(hostText);
  return foreign ? location : `${prefix.replace(/\/+$/, '')}${path}`;
}

export function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return list;
}

export function listed(list: BlockList, address: string): boolean {
  return address !== '' && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Who came to a port of their own choice is sent to ours; who came to the usual one to the usual one of TLS. */
function secureLocation({ hostText, target, httpsPort }: PolicyRequest): string {
  const withPort = /:\d+$/.test(hostText) && httpsPort !== undefined && httpsPort !== 443;
  const name = hostText.replace(/:\d*$/, '');
  return `https://${name}${withPort ? `:${httpsPort}` : ''}${target === '*' ? '/' : target}`;
}

function moved(location: string): PolicyAnswer {
  return { status: 301, text: `It is at ${location}`, fields: `Location: ${location}\r\n` };
}

function hostName(authority: string): string {
  return authority.replace(/:\d*$/, '').toLowerCase();
}
