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

/** A Store that forgets everything with the process: the fake of the seam, and the store of simulations. */
export class MemoryStore implements Store {
  readonly #records = new Map<string, StoredRecord>();
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
    return { revision: this.#history.revision, records: [...this.#records.values()] };
  }

  async get(table: TableName, key: string): Promise<StoredRecord | undefined> {
    return this.#records.get(address(table, key));
  }

  async commit(writes: readonly Write[]): Promise<CommitResult> {
    const lost = writes.find((write) => !this.#isExpected(write));
    if (lost !== undefined) return { kind: 'conflict', table: lost.table, key: lost.key };
    if (writes.length === 0) return { kind: 'committed', revision: this.#history.revision };
    const copies = writes.map((write) => ({
      ...write,
      value: write.kind === 'put' ? copy(write.value) : undefined,
    }));
    const revision = this.#history.revision + 1;
    for (const write of copies) this.#apply(write, revision);
    this.#history.append({
      revision,
      records: copies.map(({ table, key, value }) => ({ table, key, value })),
    });
    return { kind: 'committed', revision };
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

  #isExpected(write: Write): boolean {
    if (write.expect === undefined) return true;
    return write.expect === (this.#records.get(address(write.table, write.key))?.version ?? 0);
  }

  #apply(write: Write, revision: number): void {
    const { table, key } = write;
    if (write.kind === 'delete') this.#records.delete(address(table, key));
    else this.#records.set(address(table, key), { table, key, value: write.value, version: revision });
  }
}

function address(table: TableName, key: string): string {
  return `${table}\n${key}`;
}

/** What a store that writes JSON would give back, so that tests see the same values as production. */
function copy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
