import { haproxyLacks } from '../../../core/model/haproxy-lacks.ts';
import { loosePcreOf, pcreOf } from '../../../core/model/pcre.ts';
import type { PathCondition, RouteConditions, ValueCondition } from '../../../core/model/route.ts';
import type { RouteTable } from '../../edge/routes/route-table.ts';
import type { TableRoute } from '../../edge/routes/table-route.ts';
import { acl, equalAcl } from './acls.ts';
import { isGuarded, isOdd } from './lenient-lines.ts';
import { partsOf } from './scopes.ts';
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

/** `claim`: a key of the table's hosts. The keys of its maps are paths. */
export function planHost(table: RouteTable, claim: string): HostPlan {
  const routes = table.hosts.get(claim)?.routes ?? [];
  const { scope, host } = partsOf(claim);
  if (isOnly(routes, host) || arePlain(routes)) return { ...plainPlan(routes), chain: undefined };
  const others = wildcardsOf(host).map((name) => table.hosts.get(`${scope}${name}`)?.routes ?? []);
  return { exact: new Map(), prefix: new Map(), chain: inOrder([routes, ...others]) };
}

/** Hosts from the most exact to `*`. In a list the place of a route decides, not how exact its host is. */
function inOrder(hosts: readonly (readonly TableRoute[])[]): readonly TableRoute[] {
  const all = hosts.flat();
  if (all.some(({ order }) => order === undefined)) return all;
  return all.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
}

/** `routes` in the order of their precedence: whoever has a key first keeps it. */
function plainPlan(routes: readonly TableRoute[]) {
  const exact = new Map<string, TableRoute>();
  const prefix = new Map<string, TableRoute>();
  const give = (map: Map<string, TableRoute>, key: string, route: TableRoute) => {
    if (!map.has(key)) map.set(key, route);
  };
  for (const route of routes) {
    const { kind, path } = route;
    if (kind === 'exact' && path !== '') give(exact, path, route);
    if (kind === 'begins') give(prefix, path, route);
    if (kind !== 'prefix') continue;
    // `/api` takes `/api` and all below `/api/`; `/api/`, which is longer, only the latter.
    if (!path.endsWith('/')) give(exact, path, route);
    give(prefix, path.endsWith('/') ? path : `${path}/`, route);
  }
  return { exact, prefix };
}

/** Maps know paths only: what goes before these is a rule. */
function arePlain(routes: readonly TableRoute[]): boolean {
  const isRanked = routes.length > 1 && routes.some(({ rank }) => rank !== undefined);
  return !isRanked && routes.every(isPlain);
}

function isPlain({ kind, ignoreCase, conditions, order }: TableRoute): boolean {
  return kind !== 'regex' && !ignoreCase && conditions === undefined && order === undefined;
}

/** A list of one that takes everything has no order to keep. */
function isOnly([route, ...others]: readonly TableRoute[], host: string): boolean {
  return (
    host === '*' && others.length === 0 && route !== undefined && isPlain({ ...route, order: undefined })
  );
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
  const rules = (suffix: string, place: Place, isWanted: (backend: string) => boolean) =>
    chain.flatMap((route, n) => {
      const backend = use(route);
      if (backend === undefined || !isWanted(backend)) return [];
      const rule = ruleOf(`${id}_${n}${suffix}`, route, place);
      if (rule === undefined) return [];
      const names = [`{ var(txn.be) -m str ${id} }`, ...place.conditions, ...rule.names];
      return [...rule.lines, `use_backend ${backend} if ${names.join(' ')}`];
    });
  // What may refuse goes before all others for what only lenient endpoints read as its path.
  return [...rules('y', lenient, isGuarded), ...rules('', written, () => true)];
}

/** Where the path is that rules are about, with and without a slash behind it. */
type Place = { readonly path: string; readonly slashed: string; readonly conditions: readonly string[] };

const written: Place = { path: 'var(txn.path)', slashed: 'var(txn.paths)', conditions: [] };
const lenient: Place = {
  path: 'var(txn.lenient)',
  slashed: 'var(txn.lenients)',
  conditions: [isOdd],
};

type Rule = { readonly lines: string[]; readonly names: string[] };

/** One that is not takes nothing. */
function isTold({ declared }: TableRoute): boolean {
  return !haproxyLacks(declared).some(({ effect }) => effect === 'untold');
}

/** Undefined: the rule cannot be told. */
function ruleOf(id: string, route: TableRoute, place: Place): Rule | undefined {
  if (!isTold(route)) return undefined;
  const rule: Rule = { lines: [], names: [] };
  const path = pathAcl(`${id}p`, route, place);
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
  addPlaces(rule, id, { conditions: route.declared.conditions ?? {}, place });
  return rule;
}

/** What is asked of host and path besides the route's own (lb/edge/routes/conditions.ts). */
function addPlaces(
  rule: Rule,
  id: string,
  { conditions, place }: { readonly conditions: RouteConditions; readonly place: Place },
): void {
  const { hostLike, paths = [], unless } = conditions;

  if (hostLike !== undefined) {
    rule.lines.push(...acl(`${id}l`, 'req.hdr(host) -i', [loose(hostLike)], 'reg'));
    rule.names.push(`${id}l`);
  }
  for (const [n, one] of paths.entries()) {
    rule.lines.push(...placeAcl(`${id}b${n}`, one, place.path));
    rule.names.push(`${id}b${n}`);
  }
  // An exception is for who says so plainly.
  if (unless !== undefined && place === written) rule.names.push(`!{ var(${spared(id)}) -m bool }`);
}

function placeAcl(name: string, condition: PathCondition, path: string): readonly string[] {
  if ('begins' in condition) return acl(name, path, [condition.begins], 'beg');
  if ('ends' in condition) return acl(name, path, [condition.ends], 'end');
  return acl(name, path, [loose(condition.like)], 'reg');
}

/** One that cannot be told has been refused before. */
function loose(source: string): string {
  const read = loosePcreOf(source);
  return 'fault' in read ? '' : read.pattern;
}

function spared(id: string): string {
  return `txn.spared_${id}`;
}

/** What is found out before the rules of a chain are tried: whether one of a route's exceptions holds. */
export function chainFacts(
  id: string,
  chain: readonly TableRoute[],
  isWanted: (route: TableRoute) => boolean,
): readonly string[] {
  return chain.flatMap((route, n) => {
    if (!isTold(route) || !isWanted(route)) return [];
    const rule = `${id}_${n}`;
    const { unless = [] } = route.declared.conditions ?? {};
    return unless.flatMap(({ host, pathBegins }, m) => {
      const [hosts, paths] = [`${rule}v${m}`, `${rule}w${m}`];
      return [
        ...(host === undefined ? [] : equalAcl(hosts, 'var(txn.host)', host)),
        ...(pathBegins === undefined ? [] : acl(paths, 'var(txn.path)', [pathBegins], 'beg')),
        [
          `http-request set-var(${spared(rule)}) bool(true) if { var(txn.be) -m str ${id} }`,
          ...(host === undefined ? [] : [hosts]),
          ...(pathBegins === undefined ? [] : [paths]),
        ].join(' '),
      ];
    });
  });
}

function pathAcl(
  name: string,
  { kind, path, ignoreCase, declared }: TableRoute,
  place: Place,
): readonly string[] | undefined {
  const flag = ignoreCase ? ' -i' : '';
  if (kind === 'exact') return path === '' ? undefined : equalAcl(name, place.path, path, ignoreCase);
  if (kind === 'regex') {
    const read = pcreOf(declared.pathPrefix);
    return 'fault' in read ? undefined : acl(name, `${place.path}${flag}`, [read.pattern], 'reg');
  }
  if (path === '/' || kind === 'begins') return acl(name, `${place.path}${flag}`, [path], 'beg');
  const slash = path.endsWith('/');
  return acl(name, `${slash ? place.path : place.slashed}${flag}`, [slash ? path : `${path}/`], 'beg');
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

export function headerLines(routes: Iterable<TableRoute>): readonly string[] {
  const names = new Set<string>();
  for (const route of routes)
    for (const { name } of (isTold(route) ? route.declared.conditions?.headers : undefined) ?? [])
      names.add(name.toLowerCase());
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
