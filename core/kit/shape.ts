/** What is wrong with a value, and where: `/limits/perSecond`. */
export type ShapeFault = { readonly path: string; readonly error: string };

/** Reads one JSON value: gives it typed, or notes what is wrong at `path` and gives undefined. */
export type Reader<T> = (value: unknown, path: string, faults: ShapeFault[]) => T | undefined;

export function text(pattern: RegExp, expected: string): Reader<string> {
  return (value, path, faults) =>
    typeof value === 'string' && pattern.test(value) ? value : wrong(path, faults, `must be ${expected}`);
}

export function whole(min: number, max: number): Reader<number> {
  return (value, path, faults) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max
      ? Number(value)
      : wrong(path, faults, `must be a whole number from ${min} to ${max}`);
}

export function amount(min: number, max: number): Reader<number> {
  return (value, path, faults) =>
    typeof value === 'number' && value >= min && value <= max
      ? value
      : wrong(path, faults, `must be a number from ${min} to ${max}`);
}

export const flag: Reader<boolean> = (value, path, faults) =>
  typeof value === 'boolean' ? value : wrong(path, faults, 'must be true or false');

export function oneOf<const T extends string | number>(...values: readonly T[]): Reader<T> {
  return (value, path, faults) =>
    values.find((one) => one === value) ?? wrong(path, faults, `must be one of ${values.join(', ')}`);
}

export function listOf<T>(item: Reader<T>, most = 1_000): Reader<readonly T[]> {
  return (value, path, faults) => {
    if (!Array.isArray(value)) return wrong(path, faults, 'must be a list');
    if (value.length === 0 || value.length > most)
      return wrong(path, faults, `must have from 1 to ${most} entries`);
    const items = value.map((entry, n) => item(entry, `${path}/${n}`, faults));
    return items.filter((entry) => entry !== undefined);
  };
}

/** An object whose names are the writer's own. */
export function mapOf<T>(name: Reader<string>, item: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, path, faults) => {
    if (!isObject(value)) return wrong(path, faults, 'must be an object');
    const entries = Object.entries(value).flatMap(([key, entry]) => {
      const read = item(entry, `${path}/${key}`, faults);
      return name(key, `${path}/${key}`, faults) === undefined || read === undefined
        ? []
        : [[key, read] as const];
    });
    return Object.fromEntries(entries);
  };
}

export type Field<T> = { readonly read: Reader<T>; readonly required: boolean };

export function needed<T>(read: Reader<T>): Field<T> {
  return { read, required: true };
}

export function may<T>(read: Reader<T>): Field<T> {
  return { read, required: false };
}

type Fields<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

/** An object of these fields and no others; null counts as absent. */
export function shaped<T extends object>(fields: Fields<T>): Reader<T> {
  const known = Object.entries<Field<unknown>>(fields);
  const names = known.map(([name]) => name).join(', ');
  return (value, path, faults) => {
    if (!isObject(value)) return wrong(path, faults, 'must be an object');
    const before = faults.length;
    for (const name of Object.keys(value))
      if (!Object.hasOwn(fields, name))
        wrong(`${path}/${name}`, faults, `is not known here; known are ${names}`);
    const entries = known.flatMap(([name, { read, required }]) => {
      const given = value[name] ?? undefined;
      if (given !== undefined) return [[name, read(given, `${path}/${name}`, faults)] as const];
      if (required) wrong(`${path}/${name}`, faults, 'is missing');
      return [];
    });
    return faults.length > before ? undefined : (Object.fromEntries(entries) as T);
  };
}

/** A reader and a further condition on what it gives; `fault` says what is wrong, or undefined. */
export function where<T>(read: Reader<T>, fault: (value: T) => string | undefined): Reader<T> {
  return (value, path, faults) => {
    const result = read(value, path, faults);
    const error = result === undefined ? undefined : fault(result);
    return error === undefined ? result : wrong(path, faults, error);
  };
}

export function mapped<T, U>(read: Reader<T>, turn: (value: T) => U): Reader<U> {
  return (value, path, faults) => {
    const result = read(value, path, faults);
    return result === undefined ? undefined : turn(result);
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(path: string, faults: ShapeFault[], error: string): undefined {
  faults.push({ path, error });
  return undefined;
}
