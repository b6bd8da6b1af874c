import type { Name } from './wire/types.ts';

/** Whatever is in a map can be had in so many parts. */
export const parts = 256;

/**
 * A map by name. A `Map` that holds a hundred thousand names is copied as a whole when it has to grow, or when as many have come and
 * gone, and no question is answered meanwhile: several milliseconds. This one is many small ones, and only one of them is copied.
 */
export class NameMap<T> {
  readonly #shards: readonly Map<Name, T>[] = Array.from({ length: parts }, () => new Map<Name, T>());

  get(name: Name): T | undefined {
    return this.#shardOf(name).get(name);
  }

  has(name: Name): boolean {
    return this.#shardOf(name).has(name);
  }

  set(name: Name, value: T): void {
    this.#shardOf(name).set(name, value);
  }

  delete(name: Name): void {
    this.#shardOf(name).delete(name);
  }

  get size(): number {
    return this.#shards.reduce((sum, { size }) => sum + size, 0);
  }

  *keys(): Iterable<Name> {
    for (const shard of this.#shards) yield* shard.keys();
  }

  *values(): Iterable<T> {
    for (const shard of this.#shards) yield* shard.values();
  }

  /** The names of one of the `parts`: whatever comes and goes meanwhile, a name is always in the same. */
  part(part: number): Iterable<Name> {
    return this.#shards[part]?.keys() ?? [];
  }

  #shardOf(name: Name): Map<Name, T> {
    let mixed = name.length;
    for (let at = 0; at < name.length; at++) mixed = Math.imul(mixed, 31) + name.charCodeAt(at);
    return this.#shards[(mixed ^ (mixed >>> 7)) & (parts - 1)]!;
  }
}
