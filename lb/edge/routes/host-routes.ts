import type { TableRoute } from './table-route.ts';

/**
 * The routes of one host in the order in which they are to be tried: the first that fits is the right one, whatever the order they
 * arrived in. Many are found by their paths instead of one after the other.
 */
export class HostRoutes {
  readonly routes: readonly TableRoute[];
  /** One of them wants to know certificates of clients. */
  readonly asksClients: boolean;
  /** The one route of most hosts: reached without a look at the list, which would be another wait for memory. */
  readonly #only: TableRoute | undefined;
  readonly #byPath: ReadonlyMap<string, readonly TableRoute[]> | undefined;
  /** How long the paths are that are compared character by character, the longest first. */
  readonly #beginnings: readonly number[];

  constructor(routes: readonly TableRoute[]) {
    this.routes = routes.length === 1 ? routes : routes.toSorted(precedence);
    this.#only = routes.length === 1 ? routes[0] : undefined;
    this.asksClients = routes.some(({ policy }) => policy?.authorities !== undefined);
    const isListed = routes.some(({ order, rank }) => (order ?? rank) !== undefined);
    this.#byPath = isListed || routes.length < indexedFrom ? undefined : Map.groupBy(this.routes, keyOf);
    const beginnings = routes.flatMap(({ kind, path }) => (kind === 'begins' ? path.length : []));
    this.#beginnings = [...new Set(beginnings)].sort((a, b) => b - a);
  }

  /** The first route whose path fits and that `fits`. */
  find(path: string, fits: (route: TableRoute) => boolean): TableRoute | undefined {
    const only = this.#only;
    if (only !== undefined) return pathFits(only, path) && fits(only) ? only : undefined;
    if (this.#byPath === undefined) return firstOf(this.routes, path, fits);
    const found = this.#search(keysFor(path.toLowerCase()), path, fits);
    if (this.#beginnings.length === 0) return found;
    const other = this.#search(beginningsOf(path.toLowerCase(), this.#beginnings), path, fits);
    if (found === undefined || other === undefined) return found ?? other;
    return precedence(found, other) < 0 ? found : other;
  }

  #search(keys: Iterable<string>, path: string, fits: (route: TableRoute) => boolean) {
    for (const key of keys) {
      const found = firstOf(this.#byPath?.get(key), path, fits);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Fewer are compared one by one: that is faster. */
const indexedFrom = 9;
/** All expressions are under one key. */
const regexes = 'regex';
const ranks = { exact: 0, prefix: 1, begins: 1, regex: 2 } as const;

/** ingress.md B4 and D2: what outweighs paths; exact path, longest prefix, expression, no path; then more conditions, weight, and the id so that it is never chance. */
function precedence(a: TableRoute, b: TableRoute): number {
  return (
    (a.order ?? 0) - (b.order ?? 0) ||
    usualRank(b) - usualRank(a) ||
    kindRank(a) - kindRank(b) ||
    narrowness(b) - narrowness(a) ||
    b.conditionCount - a.conditionCount ||
    b.weight - a.weight ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** Longer paths are narrower; of one path, whole segments are narrower than any beginning. */
function narrowness({ kind, path }: TableRoute): number {
  if (kind === 'regex') return 0;
  return 2 * path.length + (kind === 'begins' ? 0 : 1);
}

/** Paths go before bare hosts. */
function usualRank({ rank, kind, path }: TableRoute): number {
  return rank ?? (kind === 'prefix' && path === '/' ? 0 : 1);
}

function kindRank({ kind, path }: TableRoute): number {
  return kind === 'prefix' && path === '/' ? 3 : ranks[kind];
}

function keyOf({ kind, path }: TableRoute): string {
  return kind === 'regex' ? regexes : indexKey(kind, path.toLowerCase());
}

/** The keys under which routes for a path may be, in the order of their precedence. */
function* keysFor(path: string): Generator<string> {
  yield indexKey('exact', path);
  if (path !== '/') yield indexKey('prefix', path);
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    if (slash + 1 < path.length) yield indexKey('prefix', path.slice(0, slash + 1));
    yield indexKey('prefix', path.slice(0, slash));
  }
  yield regexes;
  yield indexKey('prefix', '/');
}

function* beginningsOf(path: string, lengths: readonly number[]): Generator<string> {
  for (const length of lengths) if (length <= path.length) yield indexKey('begins', path.slice(0, length));
}

function indexKey(kind: string, path: string): string {
  return `${kind} ${path}`;
}

function firstOf(
  routes: readonly TableRoute[] | undefined,
  path: string,
  fits: (route: TableRoute) => boolean,
): TableRoute | undefined {
  if (routes === undefined) return undefined;
  for (const route of routes) if (pathFits(route, path) && fits(route)) return route;
  return undefined;
}

export function pathFits({ kind, path: wanted, ignoreCase, regex }: TableRoute, path: string): boolean {
  if (regex !== undefined) return regex.testExact(path);
  const given = ignoreCase ? path.toLowerCase() : path;
  if (kind === 'begins') return given.startsWith(wanted);
  return kind === 'exact' ? given === wanted : prefixFits(wanted, given);
}

/** `/api` matches `/api` and `/api/x` but not `/apix`; `/api/` matches only below `/api/`. */
function prefixFits(prefix: string, path: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith('/') || path.length === prefix.length || path.charCodeAt(prefix.length) === 47;
}
