/**
 * A map that is never changed: an edit gives a new one that shares all but the touched parts with the old. Ten thousand
 * entries change one by one without a copy of the whole, and what differs between two of them is found as quickly.
 */
export class PersistentMap<V> implements Iterable<readonly [string, V]> {
  readonly size: number;
  readonly #rows: readonly Row<V>[];

  private constructor(rows: readonly Row<V>[], size: number) {
    this.#rows = rows;
    this.size = size;
  }

  static empty<V>(): PersistentMap<V> {
    const row: Row<V> = new Array(width).fill(undefined);
    return new PersistentMap<V>(new Array(width).fill(row), 0);
  }

  static of<V>(entries: Iterable<readonly [string, V]>): PersistentMap<V> {
    const draft = PersistentMap.empty<V>().edit();
    for (const [key, value] of entries) draft.set(key, value);
    return draft.done();
  }

  get(key: string): V | undefined {
    const hash = hashOf(key);
    let entry = this.#rows[hash & mask]![(hash >>> bits) & mask];
    while (entry !== undefined && entry.key !== key) entry = entry.next;
    return entry?.value;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *[Symbol.iterator](): Generator<readonly [string, V]> {
    for (const row of this.#rows) for (const first of row) yield* chain(first);
  }

  *values(): Generator<V> {
    for (const [, value] of this) yield value;
  }

  edit(): Draft<V> {
    return new Draft(this);
  }

  /** This map with other values under some keys; undefined takes a key out. */
  with(changes: ReadonlyMap<string, V | undefined>): PersistentMap<V> {
    if (changes.size === 0) return this;
    const rows = [...this.#rows];
    let size = this.size;
    for (const [key, value] of changes) {
      const hash = hashOf(key);
      const [at, column] = [hash & mask, (hash >>> bits) & mask];
      if (rows[at] === this.#rows[at]) rows[at] = [...rows[at]!];
      const row = rows[at]!;
      const rest = without(row[column], key);
      size += (value === undefined ? 0 : 1) - (this.has(key) ? 1 : 0);
      row[column] = value === undefined ? rest : { key, value, next: rest };
    }
    return new PersistentMap(rows, size);
  }

  /** Keys whose value is not the same in `other`. */
  differences(other: PersistentMap<V>): readonly string[] {
    const keys = new Set<string>();
    for (let at = 0; at < width; at++) {
      const [row, otherRow] = [this.#rows[at]!, other.#rows[at]!];
      if (row === otherRow) continue;
      for (let column = 0; column < width; column++) {
        if (row[column] === otherRow[column]) continue;
        for (const [key, value] of chain(row[column])) if (other.get(key) !== value) keys.add(key);
        for (const [key, value] of chain(otherRow[column])) if (this.get(key) !== value) keys.add(key);
      }
    }
    return [...keys];
  }
}

/** Changes to a persistent map that are not made yet; reads see them. */
export class Draft<V> {
  readonly #base: PersistentMap<V>;
  readonly #changes = new Map<string, V | undefined>();

  constructor(base: PersistentMap<V>) {
    this.#base = base;
  }

  get(key: string): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#base.get(key);
  }

  set(key: string, value: V): void {
    this.#changes.set(key, value);
  }

  delete(key: string): void {
    this.#changes.set(key, undefined);
  }

  done(): PersistentMap<V> {
    return this.#base.with(this.#changes);
  }
}

type Entry<V> = { readonly key: string; readonly value: V; readonly next: Entry<V> | undefined };
type Row<V> = (Entry<V> | undefined)[];

const bits = 7;
const width = 1 << bits;
const mask = width - 1;

function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}

function* chain<V>(first: Entry<V> | undefined): Generator<readonly [string, V]> {
  for (let entry = first; entry !== undefined; entry = entry.next) yield [entry.key, entry.value];
}

function without<V>(entry: Entry<V> | undefined, key: string): Entry<V> | undefined {
  if (entry === undefined) return undefined;
  if (entry.key === key) return entry.next;
  const next = without(entry.next, key);
  return next === entry.next ? entry : { ...entry, next };
}
