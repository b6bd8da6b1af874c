import type { RouteLimits, RouteOptions } from '../../../core/model/route.ts';
import { addressAcl } from './acls.ts';
import { answer } from './page-lines.ts';
import { self } from './sections.ts';
import { literal, word } from './words.ts';

/** Who may ask: in the order in which it is asked. */
export function addressLines({ allow, deny }: RouteOptions): readonly string[] {
  const page = { status: 403, text: 'This address may not use the service.' };
  return [
    ...(deny === undefined ? [] : [...addressAcl('denied', deny), answer(page, 'if denied')]),
    ...(allow === undefined ? [] : [...addressAcl('allowed', allow), answer(page, 'unless allowed')]),
    ...(allow?.length === 0 ? [answer(page)] : []),
  ];
}

export function passwordLines({ auth }: RouteOptions): readonly string[] {
  if (auth === undefined) return [];
  const challenge = literal(`Basic realm="${auth.realm}", charset="UTF-8"`);
  const fields = { 'WWW-Authenticate': challenge };
  const page = { status: 401, text: 'The service asks for a user name and a password.', fields };
  return [`acl known http_auth(${self}u)`, answer(page, 'unless known')];
}

export function passwordSections({ auth }: RouteOptions): readonly string[] {
  if (auth === undefined) return [];
  return [`userlist ${self}u\n  user ${word(auth.user)} password ${word(auth.crypted)}`];
}

const retryLater = { 'Retry-After': '1' };
const clientPage = {
  status: 429,
  text: 'This address asks too often, or too much at once.',
  fields: retryLater,
};
const routePage = { status: 503, text: 'The service is asked more than it may be.', fields: retryLater };

/**
 * Bounds of the route and of each client. HAProxy counts in a window as long as the burst takes to be earned again, and only those it
 * let in: who is refused has used nothing up.
 */
export function limitLines({ limits }: RouteOptions): readonly string[] {
  if (limits === undefined) return [];
  const { perSecond, concurrent, clientPerSecond, clientConcurrent } = limits;
  const lines: string[] = [];
  if (clientPerSecond !== undefined || clientConcurrent !== undefined)
    lines.push(`http-request track-sc0 src,ipmask(32,64) table ${self}c`);
  if (clientPerSecond !== undefined) {
    const { most } = windowOf(clientPerSecond, limits.clientBurst);
    lines.push(answer(clientPage, `if { sc_gpc0_rate(0) ge ${most} }`));
  }
  // The request that asks is counted already.
  if (clientConcurrent !== undefined)
    lines.push(answer(clientPage, `if { sc_conn_cur(0) gt ${clientConcurrent} }`));
  if (perSecond !== undefined || concurrent !== undefined)
    lines.push(`http-request track-sc1 int(1) table ${self}r`);
  if (perSecond !== undefined) {
    const { most } = windowOf(perSecond, limits.burst);
    lines.push(answer(routePage, `if { sc_gpc0_rate(1) ge ${most} }`));
  }
  if (concurrent !== undefined) lines.push(answer(routePage, `if { sc_conn_cur(1) gt ${concurrent} }`));
  if (clientPerSecond !== undefined) lines.push('http-request sc-inc-gpc0(0)');
  if (perSecond !== undefined) lines.push('http-request sc-inc-gpc0(1)');
  return lines;
}

export function limitSections({ limits }: RouteOptions): readonly string[] {
  if (limits === undefined) return [];
  const table = (name: string, type: string, rate: { readonly ms: number }) =>
    `backend ${self}${name}\n  stick-table ${type} expire ${Math.max(60_000, rate.ms * 2)}ms store conn_cur,gpc0,gpc0_rate(${rate.ms}ms)`;
  const { perSecond, concurrent, clientPerSecond, clientConcurrent } = limits;
  return [
    ...(clientPerSecond === undefined && clientConcurrent === undefined
      ? []
      : [table('c', 'type ipv6 size 20k', windowOf(clientPerSecond ?? 1, limits.clientBurst))]),
    ...(perSecond === undefined && concurrent === undefined
      ? []
      : [table('r', 'type integer size 16', windowOf(perSecond ?? 1, limits.burst))]),
  ];
}

function windowOf(perSecond: number, burst: RouteLimits['burst'] = perSecond): { most: number; ms: number } {
  return { most: burst, ms: Math.max(1, Math.round((burst / perSecond) * 1_000)) };
}
