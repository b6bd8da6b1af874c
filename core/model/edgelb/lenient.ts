import type { Reader, ShapeFault } from '../../kit/shape.ts';

/** `ignored`: worth telling, but no reason to refuse. */
export type PoolFault = ShapeFault & { readonly ignored?: true };

type Part<T> = { readonly read: Reader<T>; readonly fallback?: T };

type Parts<T> = { readonly [K in keyof T]-?: Part<Exclude<T[K], undefined>> };

/** Absent where nothing is given. */
export function may<T>(read: Reader<T>): Part<T> {
  return { read };
}

export function or<T>(read: Reader<T>, fallback: T): Part<T> {
  return { read, fallback };
}

/**
 * An object as Edge-LB's clients send it: null counts as absent, and a field that nobody knows is told of and left out. What must be there
 * is asked for by `pool-rules.ts`, which knows the name of the object.
 */
export function lenient<T extends object>(parts: Parts<T>): Reader<T> {
  const known = Object.entries<Part<unknown>>(parts);
  return (value, path, faults: PoolFault[]) => {
    if (!isObject(value)) {
      faults.push({ path: path === '' ? '/' : path, error: 'must be an object' });
      return undefined;
    }
    for (const name of Object.keys(value))
      if (!Object.hasOwn(parts, name))
        faults.push({ path: `${path}/${name}`, error: 'is not known here and does nothing', ignored: true });
    const entries = known.flatMap(([name, { read, fallback }]) => {
      const given = value[name] ?? undefined;
      const result = given === undefined ? fallback : (read(given, `${path}/${name}`, faults) ?? fallback);
      return result === undefined ? [] : [[name, result] as const];
    });
    return Object.fromEntries(entries) as T;
  };
}

/** A list, which may be empty. */
export function each<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, path, faults) => {
    if (!Array.isArray(value) || value.length > 10_000) {
      faults.push({ path, error: 'must be a list of at most 10000 entries' });
      return undefined;
    }
    return value.flatMap((entry, n) => item(entry, `${path}/${n}`, faults) ?? []);
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
