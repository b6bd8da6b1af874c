import type { Detail } from '../problem.ts';

/** Collects faults by path, so that all of a document are reported together (Marathon §1.6). */
export class Faults {
  readonly #byPath = new Map<string, string[]>();

  add(path: string, error: string): void {
    const errors = this.#byPath.get(path) ?? [];
    if (!errors.includes(error)) errors.push(error);
    this.#byPath.set(path, errors);
  }

  get details(): readonly Detail[] {
    return [...this.#byPath].map(([path, errors]) => ({ path, errors }));
  }

  get none(): boolean {
    return this.#byPath.size === 0;
  }
}

/** The same rule as JSON Schema, for the API's description (OpenAPI 3.1). */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Reads one JSON value: gives it typed, or notes a fault at `path` and gives undefined. Says itself what it takes. */
export type Reader<T> = Read<T> & { readonly schema: JsonSchema };

type Read<T> = (value: unknown, path: string, faults: Faults) => T | undefined;

export function reader<T>(schema: JsonSchema, read: Read<T>): Reader<T> {
  return Object.assign((...[value, path, faults]: Parameters<Read<T>>) => read(value, path, faults), {
    schema,
  });
}

/** JSON null counts as absent everywhere (Marathon §1.6). */
function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

type TextRules = { readonly minLength?: number; readonly maxLength?: number; readonly pattern?: RegExp };

export function text(rules: TextRules = {}): Reader<string> {
  const { pattern, ...lengths } = rules;
  const schema = { type: 'string', ...lengths, ...(pattern && { pattern: pattern.source }) };
  return reader(schema, (value, path, faults) => {
    if (typeof value !== 'string') return refuse(path, faults, 'error.expected.jsstring');
    if (value.length < (rules.minLength ?? 0)) return refuse(path, faults, 'error.minLength');
    if (value.length > (rules.maxLength ?? Number.POSITIVE_INFINITY))
      return refuse(path, faults, 'error.maxLength');
    if (pattern !== undefined && !pattern.test(value)) return refuse(path, faults, 'error.pattern');
    return value;
  });
}

type NumberRules = { readonly min?: number; readonly max?: number };

export function number(rules: NumberRules = {}): Reader<number> {
  return reader(bounds('number', rules), (value, path, faults) => {
    if (typeof value !== 'number' || !Number.isFinite(value))
      return refuse(path, faults, 'error.expected.jsnumber');
    if (value < (rules.min ?? Number.NEGATIVE_INFINITY)) return refuse(path, faults, 'error.min');
    if (value > (rules.max ?? Number.POSITIVE_INFINITY)) return refuse(path, faults, 'error.max');
    return value === 0 ? 0 : value;
  });
}

export function integer(rules: NumberRules = {}): Reader<number> {
  const read = number({ max: 2_147_483_647, ...rules });
  return reader(bounds('integer', rules), (value, path, faults) =>
    typeof value === 'number' && !Number.isInteger(value)
      ? refuse(path, faults, 'error.expected.jsnumber')
      : read(value, path, faults),
  );
}

export const flag: Reader<boolean> = reader({ type: 'boolean' }, (value, path, faults) =>
  typeof value === 'boolean' ? value : refuse(path, faults, 'error.expected.jsboolean'),
);

/** Case does not matter on input; the canonical spelling comes out. */
export function oneOf<T extends string>(...literals: readonly T[]): Reader<T> {
  return reader({ type: 'string', enum: literals }, (value, path, faults) => {
    if (typeof value !== 'string') return refuse(path, faults, 'error.expected.jsstring');
    const found = literals.find((literal) => literal.toLowerCase() === value.toLowerCase());
    return found ?? refuse(path, faults, 'error.unknown.enum.literal');
  });
}

/** Whatever is there, as it is: for what is only stored, or looked at elsewhere. */
export const anything: Reader<unknown> = reader({}, (value) => value);

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return reader({ type: 'array', items: item.schema }, (value, path, faults) => {
    if (!Array.isArray(value)) return refuse(path, faults, 'error.expected.jsarray');
    const items = value.map((entry, index) => item(entry, `${path}(${index})`, faults));
    return items.filter((entry) => entry !== undefined);
  });
}

export function map<T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return reader({ type: 'object', additionalProperties: item.schema }, (value, path, faults) => {
    if (!isObject(value)) return refuse(path, faults, 'error.expected.jsobject');
    const entries = Object.entries(value).flatMap(([key, entry]) => {
      const read = absent(entry) ? undefined : item(entry, `${path}/${key}`, faults);
      return read === undefined ? [] : [[key, read] as const];
    });
    // Unlike an assignment, this makes a plain field even of the key "__proto__".
    return Object.fromEntries(entries);
  });
}

export type Field<T> = { readonly read: Reader<T>; readonly required: boolean };

export function required<T>(read: Reader<T>): Field<T> & { readonly required: true } {
  return { read, required: true };
}

export function optional<T>(read: Reader<T>): Field<T> & { readonly required: false } {
  return { read, required: false };
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type RequiredKeys<F extends Fields> = { [K in keyof F]: F[K]['required'] extends true ? K : never }[keyof F];
type ValueOf<F> = F extends { readonly read: Reader<infer T> } ? T : never;
export type Shape<F extends Fields> = { readonly [K in RequiredKeys<F>]: ValueOf<F[K]> } & {
  readonly [K in Exclude<keyof F, RequiredKeys<F>>]?: ValueOf<F[K]>;
};

/** Unknown fields are left out (Marathon §1.6). */
export function object<F extends Fields>(fields: F): Reader<Shape<F>> {
  return reader(objectSchema(fields), (value, path, faults) => {
    if (!isObject(value)) return refuse(path, faults, 'error.expected.jsobject');
    const result: Record<string, unknown> = {};
    let whole = true;
    for (const [name, field] of Object.entries(fields)) {
      const at = `${path === '/' ? '' : path}/${name}`;
      const given = value[name];
      if (absent(given)) {
        if (field.required) whole = refuse(at, faults, 'error.path.missing') ?? false;
        continue;
      }
      const read = field.read(given, at, faults);
      if (read === undefined) whole = field.required ? false : whole;
      else result[name] = read;
    }
    return whole ? (result as Shape<F>) : undefined;
  });
}

function objectSchema(fields: Fields): JsonSchema {
  const names = Object.keys(fields).filter((name) => fields[name]?.required);
  const properties = Object.entries(fields).map(([name, { read }]) => [name, read.schema] as const);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(names.length > 0 ? { required: names } : {}),
  };
}

function bounds(type: 'number' | 'integer', { min, max }: NumberRules): JsonSchema {
  return {
    type,
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(path: string, faults: Faults, error: string): undefined {
  faults.add(path, error);
  return undefined;
}
