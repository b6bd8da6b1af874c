import { BlockList, isIPv6 } from 'node:net';
import type { Route, RouteOptions } from '../../../core/model/route.ts';
import { ClientAuthorities } from '../access/client-certificate.ts';
import { Limiter } from '../access/limiter.ts';
import type { PolicyAnswer, PolicyRequest } from '../request/policy-answer.ts';
import { type FieldChanges, fieldChanges } from './field-changes.ts';
import { moved, redirected, secureLocation } from './redirect.ts';
import { type PathChange, pathChange } from './rewrite.ts';

/** What a route does with requests and answers besides passing them on; the options of a route, made ready to use. */
export type RoutePolicy = {
  readonly options: RouteOptions;
  /** The route's host and path as declared. */
  readonly host: string;
  readonly pathPrefix: string;
  readonly allowed: BlockList | undefined;
  readonly denied: BlockList | undefined;
  readonly maintenance: PolicyAnswer | undefined;
  /** Who gets the service during maintenance. */
  readonly spared: BlockList | undefined;
  readonly limiter: Limiter | undefined;
  readonly changePath: PathChange | undefined;
  readonly authorities: ClientAuthorities | undefined;
  readonly requestChanges: FieldChanges | undefined;
  readonly answerChanges: FieldChanges | undefined;
};

/** Undefined for a route without options. Throws on addresses that are none; the API lets none through. */
export function policyOf({ options, host, pathPrefix }: Route): RoutePolicy | undefined {
  if (options === undefined) return undefined;
  const { allow, deny, maintenance, limits, requestFields, answerFields } = options;
  return {
    options,
    host,
    pathPrefix,
    allowed: allow && blockList(allow),
    denied: deny && blockList(deny),
    maintenance: maintenance && maintenanceAnswer(maintenance),
    spared: maintenance?.except && blockList(maintenance.except),
    limiter: limits && new Limiter(limits),
    changePath: pathChange(options, pathPrefix),
    authorities: options.clientCertificate && new ClientAuthorities(options.clientCertificate),
    requestChanges: requestFields && fieldChanges(requestFields),
    answerChanges: answerFields && fieldChanges(answerFields),
  };
}

/** Whether the edge answers by itself: who may not ask is told so first, then that it is closed, then redirects. */
export function policyAnswer(policy: RoutePolicy, request: PolicyRequest): PolicyAnswer | undefined {
  const { options, pathPrefix, allowed, denied, maintenance } = policy;
  const { path, scheme, clientAddress } = request;
  const barred = denied !== undefined && listed(denied, clientAddress);
  if (barred || (allowed !== undefined && !listed(allowed, clientAddress)))
    return { status: 403, text: 'This address may not use the service.', why: 'address' };
  if (maintenance !== undefined && !isSpared(policy, clientAddress)) return maintenance;
  if (options.redirectToHttps && scheme === 'http') return moved(301, secureLocation(request));
  if (options.redirect !== undefined) return redirected(options.redirect, pathPrefix, request);
  if (options.rootTo !== undefined && path === '/' && options.rootTo !== '/')
    return moved(301, options.rootTo);
  return undefined;
}

export const certificateAnswer: PolicyAnswer = {
  status: 403,
  text: 'The service asks for a client certificate of an authority that it knows.',
  why: 'certificate',
};

export function passwordAnswer(realm: string): PolicyAnswer {
  const fields = `WWW-Authenticate: Basic realm="${realm}", charset="UTF-8"\r\n`;
  return { status: 401, text: 'The service asks for a user name and a password.', fields, why: 'password' };
}

export function limitAnswer(whose: 'client' | 'route'): PolicyAnswer {
  const fields = 'Retry-After: 1\r\n';
  if (whose === 'client')
    return {
      status: 429,
      text: 'This address asks too often, or too much at once.',
      fields,
      why: 'client-limit',
    };
  return { status: 503, text: 'The service is asked more than it may be.', fields, why: 'route-limit' };
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

function isSpared({ spared }: RoutePolicy, address: string): boolean {
  return spared !== undefined && listed(spared, address);
}

function maintenanceAnswer({
  status = 503,
  text = 'The service is being worked on.',
  contentType,
  retryAfterSeconds,
}: NonNullable<RouteOptions['maintenance']>): PolicyAnswer {
  const fields = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
  // One character per byte, as wires take it.
  return { status, text: Buffer.from(text).toString('latin1'), fields, contentType, why: 'maintenance' };
}
