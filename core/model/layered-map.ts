/** Below this a whole copy is as quick. */
const worthwhile = 64;

/**
 * A map with changes, that leaves the map it is made from as it is. A large map is not copied each time: changes are kept
 * beside it until they are a share of it, so that one change costs far less than the map is large.
 */
export function changedMap<T>(
  base: ReadonlyMap<string, T>,
  gone: readonly string[],
  set: readonly (readonly [string, T])[],
): ReadonlyMap<string, T> {
  const [whole, known] =
    base instanceof LayeredMap ? [base.whole, base.changes] : [base, new Map<string, T | undefined>()];
  const count = gone.length + set.length;
  if (whole.size < worthwhile || known.size + count > mostChanges(whole.size, count))
    return copied(base, gone, set);
  const changes = new Map<string, T | undefined>(known);
  let { size } = base;
  const change = (key: string, item: T | undefined) => {
    size += Number(item !== undefined) - Number(has({ whole, changes }, key));
    changes.set(key, item);
  };
  for (const key of gone) change(key, undefined);
  for (const [key, item] of set) change(key, item);
  return new LayeredMap(whole, changes, size);
}

/** Where copying the changes each time costs as much as copying the whole now and then. */
function mostChanges(whole: number, each: number): number {
  return Math.sqrt(2 * whole * each);
}

function copied<T>(
  base: ReadonlyMap<string, T>,
  gone: readonly string[],
  set: readonly (readonly [string, T])[],
) {
  const next = base instanceof LayeredMap ? flat(base) : new Map(base);
  for (const key of gone) next.delete(key);
  for (const [key, item] of set) next.set(key, item);
  return next;
}

/** A map is copied by the engine far quicker than entry by entry. */
function flat<T>({ whole, changes }: Layers<T>): Map<string, T> {
  const next = new Map(whole);
  for (const [key, item] of changes)
    if (item === undefined) next.delete(key);
    else next.set(key, item);
  return next;
}

type Layers<T> = {
  readonly whole: ReadonlyMap<string, T>;
  readonly changes: ReadonlyMap<string, T | undefined>;
};

function has<T>({ whole, changes }: Layers<T>, key: string): boolean {
  return changes.has(key) ? changes.get(key) !== undefined : whole.has(key);
}

/** `changes` on top of `whole`; undefined there: gone. */
class LayeredMap<T> implements ReadonlyMap<string, T> {
  readonly whole: ReadonlyMap<string, T>;
  readonly changes: ReadonlyMap<string, T | undefined>;
  readonly size: number;

  constructor(whole: ReadonlyMap<string, T>, changes: ReadonlyMap<string, T | undefined>, size: number) {
    this.whole = whole;
    this.changes = changes;
    this.size = size;
  }

  get(key: string): T | undefined {
    return this.changes.has(key) ? this.changes.get(key) : this.whole.get(key);
  }

  has(key: string): boolean {
    return has(this, key);
  }

  *entries(): MapIterator<[string, T]> {
    for (const entry of this.whole) if (!this.changes.has(entry[0])) yield entry;
    for (const [key, item] of this.changes) if (item !== undefined) yield [key, item];
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<T> {
    for (const [, item] of this.entries()) yield item;
  }

  [Symbol.iterator](): MapIterator<[string, T]> {
    return this.entries();
  }

  forEach(visit: (value: T, key: string, map: ReadonlyMap<string, T>) => void): void {
    for (const [key, item] of this.entries()) visit(item, key, this);
  }
}
