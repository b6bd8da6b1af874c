import type { RouteConditions, ValueCondition } from '../../core/model/route.ts';
import { expression } from './expression.ts';
import { fieldValue } from './forward.ts';
import type { RequestHead } from './http1/request-head.ts';

/** What a route asks of a request besides host and path, made ready to be compared. */
export type Conditions = {
  readonly methods: ReadonlySet<string> | undefined;
  readonly headers: readonly ValueTest[];
  readonly query: readonly ValueTest[];
};

type ValueTest = { readonly name: string; readonly fits: (value: string | undefined) => boolean };

export function compileConditions({ methods, headers = [], query = [] }: RouteConditions): Conditions {
  return {
    methods: methods && new Set(methods),
    headers: headers.map((condition) => ({ ...valueTest(condition), name: condition.name.toLowerCase() })),
    query: query.map(valueTest),
  };
}

/** How narrow they are: each that is there counts one. */
export function countConditions(conditions: RouteConditions | undefined): number {
  const { methods, headers = [], query = [] } = conditions ?? {};
  return (methods === undefined ? 0 : 1) + headers.length + query.length;
}

export function conditionsHold({ methods, headers, query }: Conditions, head: RequestHead): boolean {
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
