import type { PathCondition, RouteConditions, ValueCondition } from '../../../core/model/route.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { fieldValue } from '../request/forward.ts';
import { comparablePath } from './comparable-path.ts';
import { expression } from './expression.ts';

/** What a route asks of a request besides host and path, made ready to be compared. */
export type Conditions = {
  readonly methods: ReadonlySet<string> | undefined;
  readonly headers: readonly ValueTest[];
  readonly query: readonly ValueTest[];
  /** Absent: nothing more is asked of host and path. */
  readonly place?: PlaceTest;
};

/** `host`: as the client wrote it, and without port in lower case. */
type PlaceTest = (host: { readonly text: string; readonly name: string }, path: string) => boolean;

type ValueTest = { readonly name: string; readonly fits: (value: string | undefined) => boolean };

export function compileConditions(conditions: RouteConditions): Conditions {
  const { methods, headers = [], query = [] } = conditions;
  const place = placeTest(conditions);
  return {
    ...(place && { place }),
    methods: methods && new Set(methods),
    headers: headers.map((condition) => ({ ...valueTest(condition), name: condition.name.toLowerCase() })),
    query: query.map(valueTest),
  };
}

/** How narrow they are: each that is there counts one. */
export function countConditions(conditions: RouteConditions | undefined): number {
  const { methods, headers = [], query = [], hostLike, paths = [], unless } = conditions ?? {};
  const single = [methods, hostLike, unless].filter((one) => one !== undefined);
  return single.length + headers.length + query.length + paths.length;
}

const noHost = { text: '', name: '' };

export function conditionsHold(conditions: Conditions, head: RequestHead): boolean {
  const { methods, headers, query, place } = conditions;
  if (place?.(head.host ?? noHost, comparablePath(head.path)) === false) return false;
  if (methods !== undefined && !methods.has(head.method)) return false;
  for (const { name, fits } of headers) if (!fits(fieldValue(head, name))) return false;
  if (query.length === 0) return true;
  const parameters = new URLSearchParams(head.target.slice(head.path.length));
  return query.every(({ name, fits }) => fits(parameters.get(name) ?? undefined));
}

function valueTest({ name, exact, regex, absent }: ValueCondition): ValueTest {
  if (absent === true) return { name, fits: (value) => value === undefined };
  if (exact !== undefined) return { name, fits: (value) => value === exact };
  if (regex === undefined) return { name, fits: (value) => value !== undefined };
  const compiled = expression(regex);
  return { name, fits: (value) => value !== undefined && compiled.testExact(value) };
}

function placeTest({ hostLike, paths = [], unless = [] }: RouteConditions): PlaceTest | undefined {
  if (hostLike === undefined && paths.length + unless.length === 0) return undefined;
  const host = hostLike === undefined ? undefined : expression(hostLike, true);
  const tests = paths.map(pathTest);
  return ({ text, name }, path) =>
    host?.matcher(text).find() !== false &&
    tests.every((fits) => fits(path)) &&
    !unless.some(
      (one) => (one.host === undefined || one.host === name) && path.startsWith(one.pathBegins ?? ''),
    );
}

function pathTest(condition: PathCondition): (path: string) => boolean {
  if ('begins' in condition) return (path) => path.startsWith(condition.begins);
  if ('ends' in condition) return (path) => path.endsWith(condition.ends);
  const like = expression(condition.like);
  return (path) => like.matcher(path).find();
}
