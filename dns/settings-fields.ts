import { toName } from './wire/name.ts';
import type { Name } from './wire/types.ts';

/** What is wrong, collected while reading on. */
export class Faults {
  readonly all: string[] = [];

  add(path: string, expected: string): void {
    this.all.push(`${path === '' ? 'the settings' : path}: expected ${expected}`);
  }
}

type At = { readonly path: string; readonly faults: Faults };
/** Gives the value, or a TypeError that says what was expected. */
type Reader<T> = (value: unknown) => T | TypeError;
type Range = { readonly least: number; readonly most?: number };

/** The keys of an object, in any letter case, each taken once; what nobody took is a fault. */
export class Fields {
  readonly #at: At;
  readonly #values: Map<string, { readonly key: string; readonly value: unknown }>;

  private constructor(values: object, at: At) {
    this.#at = at;
    this.#values = new Map(Object.entries(values).map(([key, value]) => [key.toLowerCase(), { key, value }]));
  }

  /** What is no object counts as one without keys. */
  static of(value: unknown, at: At): Fields {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject) at.faults.add(at.path, 'an object');
    return new Fields(isObject ? value : {}, at);
  }

  /** For a spread: the key with its value, or nothing. */
  given<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
    return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
  }

  take(key: string): unknown {
    const found = this.#values.get(key.toLowerCase());
    this.#values.delete(key.toLowerCase());
    return found?.value;
  }

  get keys(): readonly string[] {
    return [...this.#values.values()].map(({ key }) => key);
  }

  value<T>(key: string, read: Reader<T>): T | undefined {
    const value = this.take(key);
    return value === undefined ? undefined : this.#read(value, { path: this.#path(key), read });
  }

  list<T>(key: string, read: Reader<T>, least = 0): readonly T[] | undefined {
    const value = this.take(key);
    const path = this.#path(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length < least) {
      this.#at.faults.add(path, least === 0 ? 'a list' : 'a list that is not empty');
      return undefined;
    }
    return value.flatMap((item, index) => this.#read(item, { path: `${path}[${index}]`, read }) ?? []);
  }

  object(key: string): Fields | undefined {
    const value = this.take(key);
    return value === undefined
      ? undefined
      : Fields.of(value, { path: this.#path(key), faults: this.#at.faults });
  }

  boolean(key: string): boolean | undefined {
    return this.value(key, (value) => (typeof value === 'boolean' ? value : new TypeError('true or false')));
  }

  text(key: string, pattern = /./): string | undefined {
    const expected = pattern.source === '.' ? 'a text' : `a text like ${pattern.source}`;
    return this.value(key, (value) =>
      typeof value === 'string' && pattern.test(value) ? value : new TypeError(expected),
    );
  }

  oneOf<T extends string>(key: string, choices: readonly T[]): T | undefined {
    return this.value(
      key,
      (value) => choices.find((choice) => choice === value) ?? new TypeError(choices.join(' or ')),
    );
  }

  number(key: string, range: Range): number | undefined {
    return this.value(key, (value) =>
      inRange(value, range) ? value : new TypeError(`a number ${rangeText(range)}`),
    );
  }

  whole(key: string, range: Range): number | undefined {
    return this.value(key, (value) =>
      inRange(value, range) && Number.isInteger(value)
        ? value
        : new TypeError(`a whole number ${rangeText(range)}`),
    );
  }

  name(key: string): Name | undefined {
    return this.value(key, readName);
  }

  /** A key that is itself a name. */
  nameOf(key: string): Name {
    return this.#read(key, { path: this.#path(key), read: readName }) ?? '';
  }

  /** One value, or each of a list. */
  each<T>(key: string, read: (at: Item) => T | undefined): readonly T[] {
    const value = this.take(key);
    if (value === undefined) return [];
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.flatMap((item, index) => {
      const path = Array.isArray(value) ? `${this.#path(key)}[${index}]` : this.#path(key);
      return read(new Item(item, { path, faults: this.#at.faults })) ?? [];
    });
  }

  fault(expected: string): void {
    this.#at.faults.add(this.#at.path, expected);
  }

  /** Whatever is left is not known. */
  end(): void {
    for (const { key } of this.#values.values()) this.#at.faults.add(this.#path(key), 'no such key');
  }

  #read<T>(value: unknown, { path, read }: { path: string; read: Reader<T> }): T | undefined {
    const found = read(value);
    if (!(found instanceof TypeError)) return found;
    this.#at.faults.add(path, found.message);
    return undefined;
  }

  #path(key: string): string {
    return this.#at.path === '' ? key : `${this.#at.path}.${key}`;
  }
}

/** One value and where it stands. */
export class Item {
  readonly #value: unknown;
  readonly #at: At;

  constructor(value: unknown, at: At) {
    this.#value = value;
    this.#at = at;
  }

  own<T>(read: Reader<T>): T | undefined {
    const found = read(this.#value);
    if (!(found instanceof TypeError)) return found;
    this.#at.faults.add(this.#at.path, found.message);
    return undefined;
  }

  ownName(): Name | undefined {
    return this.own(readName);
  }

  ownFields(): Fields {
    return Fields.of(this.#value, this.#at);
  }
}

export function readName(value: unknown): Name | TypeError {
  const read = toName(typeof value === 'string' ? value : '');
  if (read.kind === 'invalid' || read.name === '') return new TypeError('a domain name');
  return read.name;
}

function inRange(value: unknown, { least, most = Infinity }: Range): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

function rangeText({ least, most }: Range): string {
  return most === undefined ? `of ${least} or more` : `from ${least} to ${most}`;
}
