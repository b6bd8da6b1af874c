import type { RouteLimits, RouteOptions } from '../../../core/model/route.ts';
import { addressAcl } from './acls.ts';
import { answer } from './page-lines.ts';
import { self } from './sections.ts';
import { literal, word } from './words.ts';

/** Who may ask: in the order in which it is asked. */
export function addressLines({ allow, deny }: RouteOptions): readonly string[] {
  const page = { status: 403, why: 'address', text: 'This address may not use the service.' };
  return [
    ...(deny === undefined ? [] : [...addressAcl('denied', deny), ...answer(page, 'if denied')]),
    ...(allow === undefined ? [] : [...addressAcl('allowed', allow), ...answer(page, 'unless allowed')]),
    ...(allow?.length === 0 ? answer(page) : []),
  ];
}

export function passwordLines({ auth }: RouteOptions): readonly string[] {
  if (auth === undefined) return [];
  const challenge = literal(`Basic realm="${auth.realm}", charset="UTF-8"`);
  const fields = { 'WWW-Authenticate': challenge };
  const text = 'The service asks for a user name and a password.';
  const page = { status: 401, why: 'password', text, fields };
  return [`acl known http_auth(${self}u)`, ...answer(page, 'unless known')];
}

export function passwordSections({ auth }: RouteOptions): readonly string[] {
  if (auth === undefined) return [];
  return [`userlist ${self}u\n  user ${word(auth.user)} password ${word(auth.crypted)}`];
}

const retryLater = { 'Retry-After': '1' };
const clientPage = {
  status: 429,
  why: 'client-limit',
  text: 'This address asks too often, or too much at once.',
  fields: retryLater,
};
const routePage = {
  status: 503,
  why: 'route-limit',
  text: 'The service is asked more than it may be.',
  fields: retryLater,
};

/**
 * Bounds of the route and of each client. HAProxy counts in a window as long as the burst takes to be earned again, and only those it
 * let in: who is refused has used nothing up.
 */
export function limitLines({ limits }: RouteOptions): readonly string[] {
  if (limits === undefined) return [];
  const { client, route } = boundsOf(limits);
  return [
    ...boundLines('http-request', client, (when) => answer(clientPage, when)),
    ...boundLines('http-request', route, (when) => answer(routePage, when)),
    ...countLines('http-request', [client, route]),
  ];
}

/** The tables that they are counted in. */
export function limitSections({ limits }: RouteOptions): readonly string[] {
  if (limits === undefined) return [];
  return Object.values(boundsOf(limits)).flatMap((bound) => {
    if (!isBound(bound)) return [];
    const { ms } = windowOf(bound.perSecond ?? 1, bound.burst);
    const store = `store conn_cur,gpc0,gpc0_rate(${ms}ms)`;
    return [
      `backend ${bound.table} from requests\n  stick-table ${bound.type} expire ${Math.max(60_000, ms * 2)}ms ${store}`,
    ];
  });
}

/** What is bounded, and where it is counted: `counter` is HAProxy's. */
type Bound = {
  readonly counter: 0 | 1;
  readonly key: string;
  readonly table: string;
  readonly type: string;
  readonly perSecond: number | undefined;
  readonly burst: number | undefined;
  readonly concurrent: number | undefined;
};

function boundsOf(limits: RouteLimits): { readonly client: Bound; readonly route: Bound } {
  const client = {
    counter: 0,
    key: 'src,ipmask(32,64)',
    table: `${self}c`,
    type: 'type ipv6 size 20k',
  } as const;
  const route = { counter: 1, key: 'int(1)', table: `${self}r`, type: 'type integer size 16' } as const;
  return {
    client: {
      ...client,
      perSecond: limits.clientPerSecond,
      burst: limits.clientBurst,
      concurrent: limits.clientConcurrent,
    },
    route: { ...route, perSecond: limits.perSecond, burst: limits.burst, concurrent: limits.concurrent },
  };
}

function isBound({ perSecond, concurrent }: Bound): boolean {
  return perSecond !== undefined || concurrent !== undefined;
}

function boundLines(
  rule: string,
  bound: Bound,
  refuse: (when: string) => readonly string[],
): readonly string[] {
  if (!isBound(bound)) return [];
  const { counter, key, table, perSecond, burst, concurrent } = bound;
  return [
    `${rule} track-sc${counter} ${key} table ${table}`,
    ...(perSecond === undefined
      ? []
      : refuse(`if { sc_gpc0_rate(${counter}) ge ${windowOf(perSecond, burst).most} }`)),
    // The request that asks is counted already.
    ...(concurrent === undefined ? [] : refuse(`if { sc_conn_cur(${counter}) gt ${concurrent} }`)),
  ];
}

function countLines(rule: string, bounds: readonly Bound[]): readonly string[] {
  return bounds
    .filter(({ perSecond }) => perSecond !== undefined)
    .map(({ counter }) => `${rule} sc-inc-gpc0(${counter})`);
}

function windowOf(perSecond: number, burst = perSecond): { most: number; ms: number } {
  return { most: burst, ms: Math.max(1, Math.round((burst / perSecond) * 1_000)) };
}

/** The same for connections that are not HTTP: who may not come is closed. */
export function streamAccessLines({ allow, deny, maintenance }: RouteOptions): readonly string[] {
  return [
    ...(deny === undefined ? [] : [...addressAcl('denied', deny), ...reject('address', 'if denied')]),
    ...(allow === undefined ? [] : [...addressAcl('allowed', allow), ...reject('address', 'unless allowed')]),
    ...(allow?.length === 0 ? reject('address') : []),
    ...(maintenance !== undefined ? reject('maintenance') : []),
  ];
}

export function streamLimitLines({ limits }: RouteOptions): readonly string[] {
  if (limits === undefined) return [];
  const { client, route } = boundsOf(limits);
  return [
    ...boundLines('tcp-request content', client, (when) => reject('client-limit', when)),
    ...boundLines('tcp-request content', route, (when) => reject('route-limit', when)),
    ...countLines('tcp-request content', [client, route]),
  ];
}

/** Closes a connection, for a reason of one word. */
export function reject(why: string, when = ''): readonly string[] {
  return [
    `tcp-request content set-var(txn.why) str(${why})${when === '' ? '' : ` ${when}`}`,
    'tcp-request content reject if { var(txn.why) -m found }',
  ];
}
