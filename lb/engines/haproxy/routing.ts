import { haproxyLacks } from '../../../core/model/haproxy-lacks.ts';
import { pcreOf } from '../../../core/model/pcre.ts';
import type { Route, ValueCondition } from '../../../core/model/route.ts';
import type { RouteTable } from '../../edge/route-table.ts';
import type { TableRoute } from '../../edge/table-route.ts';
import { acl, equalAcl } from './acls.ts';
import { word } from './words.ts';

/**
 * How HAProxy finds the routes of a host. Most hosts have plain routes only, found by two maps whatever their number: `exact` by host
 * and path, `prefix` by the longest beginning of them. A host with conditions, expressions or paths of any case has a chain: rules
 * that are tried one after the other, and go on with those of its wildcards.
 */
export type HostPlan = {
  readonly exact: ReadonlyMap<string, TableRoute>;
  readonly prefix: ReadonlyMap<string, TableRoute>;
  readonly chain: readonly TableRoute[] | undefined;
};

export function planHost(table: RouteTable, host: string): HostPlan {
  const routes = table.hosts.get(host)?.routes ?? [];
  if (routes.every(isPlain)) return { ...plainPlan(host, routes), chain: undefined };
  const chain = [...routes, ...wildcardsOf(host).flatMap((name) => table.hosts.get(name)?.routes ?? [])];
  return { exact: new Map(), prefix: new Map(), chain };
}

/** `routes` in the order of their precedence: whoever has a key first keeps it. */
function plainPlan(host: string, routes: readonly TableRoute[]) {
  const exact = new Map<string, TableRoute>();
  const prefix = new Map<string, TableRoute>();
  const give = (map: Map<string, TableRoute>, key: string, route: TableRoute) => {
    if (!map.has(key)) map.set(key, route);
  };
  for (const route of routes) {
    const { kind, path } = route;
    if (kind === 'exact' && path !== '') give(exact, `${host}${path}`, route);
    if (kind !== 'prefix') continue;
    // `/api` takes `/api` and all below `/api/`; `/api/`, which is longer, only the latter.
    if (!path.endsWith('/')) give(exact, `${host}${path}`, route);
    give(prefix, path.endsWith('/') ? `${host}${path}` : `${host}${path}/`, route);
  }
  return { exact, prefix };
}

function isPlain({ kind, ignoreCase, conditions }: TableRoute): boolean {
  return kind !== 'regex' && !ignoreCase && conditions === undefined;
}

/** Less exact hosts that are asked when none of this host's routes fits, the most exact first. */
export function wildcardsOf(host: string): readonly string[] {
  if (host === '*') return [];
  const labels = host.replace(/^\*\./, '').split('.');
  return [...labels.slice(1).map((_, n) => `*.${labels.slice(n + 1).join('.')}`), '*'];
}

/** The rules of a chain: `use` names the backend of a route. `id` is unique. */
export function chainLines(
  id: string,
  chain: readonly TableRoute[],
  use: (route: TableRoute) => string | undefined,
): readonly string[] {
  return chain.flatMap((route, n) => {
    const backend = use(route);
    const conditions = backend === undefined ? undefined : ruleOf(`${id}_${n}`, route);
    if (conditions === undefined) return [];
    const { lines, names } = conditions;
    return [...lines, `use_backend ${backend} if { var(txn.be) -m str ${id} } ${names.join(' ')}`];
  });
}

type Rule = { readonly lines: string[]; readonly names: string[] };

/** Undefined: the rule cannot be told, so it takes nothing. */
function ruleOf(id: string, route: TableRoute): Rule | undefined {
  if (haproxyLacks(route.declared).some(({ effect }) => effect === 'untold')) return undefined;
  const rule: Rule = { lines: [], names: [] };
  const path = pathAcl(`${id}p`, route);
  if (path === undefined) return undefined;
  rule.lines.push(...path);
  if (path.length > 0) rule.names.push(`${id}p`);
  const { methods, headers = [], query = [] } = route.declared.conditions ?? {};
  if (methods !== undefined) {
    rule.lines.push(...acl(`${id}m`, 'method', methods));
    rule.names.push(`${id}m`);
  }
  for (const [n, one] of headers.entries()) addCondition(rule, `${id}h${n}`, headerVariable(one.name), one);
  for (const [n, one] of query.entries())
    addCondition(rule, `${id}q${n}`, `url_param(${one.name}),url_dec(1)`, one);
  return rule;
}

function pathAcl(
  name: string,
  { kind, path, ignoreCase, declared }: TableRoute,
): readonly string[] | undefined {
  const flag = ignoreCase ? ' -i' : '';
  if (kind === 'exact') return path === '' ? undefined : equalAcl(name, 'var(txn.path)', path, ignoreCase);
  if (kind === 'regex') {
    const read = pcreOf(declared.pathPrefix);
    return 'fault' in read ? undefined : acl(name, `var(txn.path)${flag}`, [read.pattern], 'reg');
  }
  if (path === '/') return acl(name, 'var(txn.path)', ['/'], 'beg');
  const slash = path.endsWith('/');
  return acl(name, `var(${slash ? 'txn.path' : 'txn.paths'})${flag}`, [slash ? path : `${path}/`], 'beg');
}

function addCondition(rule: Rule, id: string, fetch: string, { exact, regex, absent }: ValueCondition): void {
  if (exact !== undefined) rule.lines.push(...equalAcl(id, fetch, exact));
  else if (regex !== undefined) {
    const read = pcreOf(regex);
    rule.lines.push(...acl(id, fetch, ['fault' in read ? '' : read.pattern], 'reg'));
  } else rule.lines.push(`acl ${id} ${fetch} -m found`);
  rule.names.push(absent === true ? `!${id}` : id);
}

/** Fields that conditions speak of, and the lines that find them out: a field that comes several times is one list. */
export function headerVariable(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, (other) => `_${other.charCodeAt(0).toString(16)}`);
  return `var(txn.f_${plain})`;
}

export function headerLines(routes: Iterable<Route>): readonly string[] {
  const names = new Set<string>();
  for (const { conditions } of routes)
    for (const { name } of conditions?.headers ?? []) names.add(name.toLowerCase());
  return [...names].sort().flatMap((name) => {
    const variable = headerVariable(name).slice(4, -1);
    const values = (count: number) =>
      word(Array.from({ length: count }, (_, n) => `%[req.fhdr(${name},${n + 1})]`).join(', '));
    return [
      `http-request set-var(${variable}) req.fhdr(${name},1)`,
      ...[2, 3, 4].map(
        (count) =>
          `http-request set-var-fmt(${variable}) ${values(count)} if { req.fhdr_cnt(${name}) eq ${count} }`,
      ),
      // More than anybody sends; a condition on part of them could be wrong.
      `http-request deny deny_status 400 if { req.fhdr_cnt(${name}) gt 4 }`,
    ];
  });
}
