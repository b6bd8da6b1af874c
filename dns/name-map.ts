import type { Name } from './wire/types.ts';

const shards = 256;
const mostMixed = 24;

/**
 * A map by name. A `Map` that holds a hundred thousand names is copied as a whole when it has to grow, or when as many have come and
 * gone, and no question is answered meanwhile: several milliseconds. This one is many small ones, and only one of them is copied.
 */
export class NameMap<T> {
  readonly #shards: readonly Map<Name, T>[] = Array.from({ length: shards }, () => new Map<Name, T>());

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

  /** The names one part after the other, `part` from 0 on; undefined behind the last. What is new meanwhile may be missing. */
  part(part: number): Iterable<Name> | undefined {
    return this.#shards[part]?.keys();
  }

  /** By its length and its first characters: names of one zone end alike. */
  #shardOf(name: Name): Map<Name, T> {
    const end = Math.min(name.length, mostMixed);
    let mixed = name.length;
    for (let at = 0; at < end; at++) mixed = Math.imul(mixed, 31) + name.charCodeAt(at);
    return this.#shards[(mixed ^ (mixed >>> 7)) & (shards - 1)]!;
  }
}
