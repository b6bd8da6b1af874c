/** What is counted under one name: numbers by their own keys, such as `2xx`. */
export type Counts = ReadonlyMap<string, number>;
type Counted = Map<string, number>;

const overflow = 'other';

/**
 * Counts of several sources, by name, as totals that never fall: a source that begins anew adds what it has, and one that is gone leaves
 * what it had. At most `most` names have totals of their own; the rest share `other`. A name that no source has any more is forgotten.
 */
export class BoundedTotals {
  readonly #most: number;
  /** By source, then by name and key. */
  #last = new Map<string, Map<string, number>>();
  readonly #totals = new Map<string, Counted>();
  readonly #named = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  /** All that all sources have now. Gives the totals by name. */
  take(sources: ReadonlyMap<string, ReadonlyMap<string, Counts>>): ReadonlyMap<string, Counts> {
    this.#forget(new Set([...sources.values()].flatMap((names) => [...names.keys()])));
    const next = new Map<string, Map<string, number>>();
    for (const [source, names] of sources) {
      const before = this.#last.get(source);
      const seen = new Map<string, number>();
      next.set(source, seen);
      for (const [name, counts] of names) {
        const total = this.#totalOf(name);
        for (const [key, value] of counts) {
          const last = before?.get(`${name}\n${key}`) ?? 0;
          seen.set(`${name}\n${key}`, value);
          total.set(key, (total.get(key) ?? 0) + (value < last ? value : value - last));
        }
      }
    }
    this.#last = next;
    return this.#totals;
  }

  #totalOf(name: string): Counted {
    if (this.#named.size < this.#most) this.#named.add(name);
    const label = this.#named.has(name) ? name : overflow;
    const total = this.#totals.get(label) ?? new Map<string, number>();
    this.#totals.set(label, total);
    return total;
  }

  #forget(present: ReadonlySet<string>): void {
    for (const name of this.#named) {
      if (present.has(name)) continue;
      this.#named.delete(name);
      this.#totals.delete(name);
    }
  }
}
