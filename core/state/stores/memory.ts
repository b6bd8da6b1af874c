import {
  type Change,
  type CommitResult,
  type Lock,
  type Store,
  type StoredRecord,
  StoreUnavailable,
  type TableName,
  type Write,
} from '../store.ts';
import { History, type HistoryOptions } from './history.ts';
import { LocalLocks } from './local-locks.ts';
import { changeOf, Records } from './records.ts';

/** A Store that forgets everything with the process: the fake of the seam, and the store of simulations. */
export class MemoryStore implements Store {
  readonly #records = new Records();
  readonly #history: History;
  readonly #fences = new Map<string, number>();
  readonly #locks = new LocalLocks((name) => {
    const fence = (this.#fences.get(name) ?? 0) + 1;
    this.#fences.set(name, fence);
    return fence;
  });

  constructor(options: Pick<HistoryOptions, 'keep'> = {}) {
    this.#history = new History({ revision: 0, ...options });
  }

  async open(): Promise<void> {}

  async list() {
    return { revision: this.#history.revision, records: this.#records.all() };
  }

  async get(table: TableName, key: string): Promise<StoredRecord | undefined> {
    return this.#records.get(table, key);
  }

  async commit(writes: readonly Write[]): Promise<CommitResult> {
    const lost = this.#records.lostBy(writes);
    if (lost !== undefined) return { kind: 'conflict', table: lost.table, key: lost.key };
    if (writes.length === 0) return { kind: 'committed', revision: this.#history.revision };
    const change = changeOf(writes, this.#history.revision + 1);
    this.#records.apply(change);
    this.#history.append(change);
    return { kind: 'committed', revision: change.revision };
  }

  watch(revision: number, signal: AbortSignal): AsyncIterable<Change> {
    const changes = this.#history.after(revision, signal);
    if (changes !== undefined) return changes;
    throw new StoreUnavailable(
      'in memory',
      `the changes after revision ${revision} are not kept; list again`,
    );
  }

  lock(name: string, _owner: string, signal: AbortSignal): Promise<Lock> {
    return this.#locks.acquire(name, signal);
  }

  async close(): Promise<void> {
    this.#history.close();
    this.#locks.close();
  }
}
