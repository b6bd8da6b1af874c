import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
import { History } from './history.ts';
import { LocalLocks } from './local-locks.ts';
import { isBusy, unavailable } from './sqlite-error.ts';
import { SqliteFile } from './sqlite-file.ts';

export type SqliteOptions = {
  /** Made when missing. Only one process at a time can have it. */
  readonly folder: string;
};

type Pending = {
  readonly writes: readonly Write[];
  readonly settle: (result: CommitResult) => void;
  readonly fail: (error: StoreUnavailable) => void;
};

type Open = { readonly file: SqliteFile; readonly history: History; readonly locks: LocalLocks };

/**
 * The Store of one machine: a folder with a SQLite file in WAL mode, synchronous=FULL.
 * Commits made in the same turn of the event loop share one transaction, so one flush of the disk; each of them is still
 * all or nothing, has its own revision, and resolves after the flush.
 */
export class SqliteStore implements Store {
  readonly #folder: string;
  #opened: Open | undefined;
  #pending: Pending[] = [];

  constructor(options: SqliteOptions) {
    this.#folder = options.folder;
  }

  async open(): Promise<void> {
    if (this.#opened !== undefined) return;
    const holder = join(this.#folder, 'weir.pid');
    try {
      makeFolder(this.#folder);
      accessSync(this.#folder, constants.W_OK);
      const file = new SqliteFile(join(this.#folder, 'weir.sqlite'));
      const history = new History({ revision: file.revision });
      const locks = new LocalLocks((name) => this.#attempt(() => file.nextFence(name)));
      this.#opened = { file, history, locks };
      writeFileSync(holder, `${process.pid}\n`);
    } catch (error) {
      this.#opened?.file.close();
      this.#opened = undefined;
      throw unavailable(this.#folder, error, isBusy(error) ? holderText(holder) : undefined);
    }
  }

  async list() {
    const { file, history } = this.#open();
    return { revision: history.revision, records: this.#attempt(() => file.list()) };
  }

  async get(table: TableName, key: string): Promise<StoredRecord | undefined> {
    const { file } = this.#open();
    return this.#attempt(() => file.get(table, key));
  }

  commit(writes: readonly Write[]): Promise<CommitResult> {
    return new Promise((settle, fail) => {
      this.#open();
      if (this.#pending.length === 0) setImmediate(() => this.#flush());
      this.#pending.push({ writes, settle, fail });
    });
  }

  watch(revision: number, signal: AbortSignal): AsyncIterable<Change> {
    const changes = this.#open().history.after(revision, signal);
    if (changes !== undefined) return changes;
    const detail = `the changes after revision ${revision} are not kept; list again`;
    throw new StoreUnavailable(`in the folder ${this.#folder}`, detail);
  }

  async lock(name: string, _owner: string, signal: AbortSignal): Promise<Lock> {
    return this.#open().locks.acquire(name, signal);
  }

  async close(): Promise<void> {
    if (this.#opened === undefined) return;
    this.#flush();
    const { file, history, locks } = this.#opened;
    this.#opened = undefined;
    history.close();
    locks.close();
    file.close();
  }

  #flush(): void {
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length > 0) this.#perform(batch);
  }

  /** A batch that fails is tried again one by one: a commit too big for the disk must not fail its neighbours. */
  #perform(batch: readonly Pending[]): void {
    try {
      const { file, history } = this.#open();
      const outcomes = file.transaction(batch.map((pending) => pending.writes));
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.change !== undefined) history.append(outcome.change);
        batch[index]!.settle(outcome.result);
      }
    } catch (error) {
      if (batch.length === 1) batch[0]!.fail(unavailable(this.#folder, error));
      else for (const pending of batch) this.#perform([pending]);
    }
  }

  #attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw unavailable(this.#folder, error);
    }
  }

  #open(): Open {
    if (this.#opened !== undefined) return this.#opened;
    throw new StoreUnavailable(`in the folder ${this.#folder}`, 'it is not open');
  }
}

function holderText(path: string): string | undefined {
  try {
    return `process ${readFileSync(path, 'utf8').trim()}`;
  } catch {
    return undefined;
  }
}

/** By hand, because Node's recursive mkdir never returns on a file system that answers ENOENT (/proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}
