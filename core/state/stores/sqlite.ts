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
import { errorOf, SqliteLink } from './sqlite-link.ts';
import type { Answer, ListedRow, Outcome, Row, TextWrite } from './sqlite-messages.ts';

export type SqliteOptions = {
  /** Made when missing. Only one process at a time can have it. */
  readonly folder: string;
};

type Pending = {
  readonly writes: readonly TextWrite[];
  readonly settle: (result: CommitResult) => void;
  readonly fail: (error: StoreUnavailable) => void;
};

type Open = { readonly link: SqliteLink; readonly history: History; readonly locks: LocalLocks };

/**
 * The Store of one machine: a folder with a SQLite file in WAL mode, synchronous=FULL, which a thread of its own has open.
 * Commits made in the same turn of the event loop, or while the thread is busy, share one transaction, so one flush of the
 * disk; each of them is still all or nothing, has its own revision, and resolves after the flush.
 */
export class SqliteStore implements Store {
  readonly #folder: string;
  #opened: Open | undefined;
  #opening: Promise<void> | undefined;
  #pending: Pending[] = [];
  #committing: Promise<void> | undefined;

  constructor(options: SqliteOptions) {
    this.#folder = options.folder;
  }

  open(): Promise<void> {
    if (this.#opened !== undefined) return Promise.resolve();
    this.#opening ??= this.#start().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async list() {
    const { link } = this.#open();
    const records: StoredRecord[] = [];
    const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const take = (rows: string) => {
      Atomics.add(taken, 0, 1);
      Atomics.notify(taken, 0);
      for (const [table, key, value, version] of JSON.parse(rows) as readonly ListedRow[])
        records.push({ table, key, value, version });
    };
    const { revision } = expected(
      'listed',
      await this.#attempt(() => link.ask({ kind: 'list', taken }, take)),
    );
    return { revision, records };
  }

  async get(table: TableName, key: string): Promise<StoredRecord | undefined> {
    const { link } = this.#open();
    const { row } = expected('row', await this.#attempt(() => link.ask({ kind: 'get', table, key })));
    return row === undefined ? undefined : recordOf(row);
  }

  commit(writes: readonly Write[]): Promise<CommitResult> {
    return new Promise((settle, fail) => {
      this.#open();
      const text = lastKnown((value: unknown) => JSON.stringify(value));
      this.#pending.push({ writes: writes.map((write) => textWrite(write, text)), settle, fail });
      this.#committing ??= this.#commitAll();
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
    await this.#opening?.catch(() => {});
    await this.#committing;
    if (this.#opened === undefined) return;
    const { link, history, locks } = this.#opened;
    this.#opened = undefined;
    history.close();
    locks.close();
    await link.ask({ kind: 'close' }).catch(() => {});
    await link.stop();
  }

  async #start(): Promise<void> {
    const holder = join(this.#folder, 'weir.pid');
    let link: SqliteLink | undefined;
    try {
      makeFolder(this.#folder);
      accessSync(this.#folder, constants.W_OK);
      link = new SqliteLink(join(this.#folder, 'weir.sqlite'));
      const { revision } = expected('opened', await link.opened());
      this.#opened = {
        link,
        history: new History({ revision }),
        locks: new LocalLocks((name) => this.#fence(name)),
      };
      writeFileSync(holder, `${process.pid}\n`);
    } catch (error) {
      this.#opened = undefined;
      await link?.stop();
      throw unavailable(this.#folder, error, isBusy(error) ? holderText(holder) : undefined);
    }
  }

  async #fence(lock: string): Promise<number> {
    const { link } = this.#open();
    return expected('fence', await this.#attempt(() => link.ask({ kind: 'fence', lock }))).fence;
  }

  async #commitAll(): Promise<void> {
    // What else is committed in this turn goes along.
    await new Promise(setImmediate);
    while (this.#pending.length > 0) await this.#commitBatch(this.#pending.splice(0));
    this.#committing = undefined;
  }

  async #commitBatch(batch: readonly Pending[]): Promise<void> {
    try {
      const { link } = this.#open();
      const commits = batch.map(({ writes }) => writes);
      const { outcomes } = expected('commits', await link.ask({ kind: 'commit', commits }));
      for (const [index, outcome] of outcomes.entries()) this.#settle(batch[index]!, outcome);
    } catch (error) {
      for (const pending of batch) pending.fail(unavailable(this.#folder, error));
    }
  }

  #settle({ writes, settle, fail }: Pending, outcome: Outcome): void {
    if (outcome.kind === 'failed') fail(unavailable(this.#folder, errorOf(outcome.fault)));
    else if (outcome.kind === 'conflict') {
      const { table, key } = writes[outcome.lost]!;
      settle({ kind: 'conflict', table, key });
    } else {
      const { revision } = outcome;
      const parse = lastKnown((text: string): unknown => JSON.parse(text));
      const records = writes.map((write) => written(write, parse));
      if (writes.length > 0) this.#opened?.history.append({ revision, records });
      settle({ kind: 'committed', revision });
    }
  }

  async #attempt<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw unavailable(this.#folder, error);
    }
  }

  #open(): Open {
    if (this.#opened !== undefined) return this.#opened;
    throw new StoreUnavailable(`in the folder ${this.#folder}`, 'it is not open');
  }
}

/** Remembers the last result: a definition is written to two tables, one after the other. */
function lastKnown<A, R>(make: (of: A) => R): (of: A) => R {
  let known: { readonly of: A; readonly result: R } | undefined;
  return (of) => {
    if (known?.of !== of) known = { of, result: make(of) };
    return known.result;
  };
}

function textWrite(write: Write, textOf: (value: unknown) => string): TextWrite {
  const { table, key, expect } = write;
  return {
    ...{ table, key },
    ...(write.kind === 'put' ? { text: textOf(write.value) } : {}),
    ...(expect === undefined ? {} : { expect }),
  };
}

function written(
  { table, key, text }: TextWrite,
  parse: (text: string) => unknown,
): Change['records'][number] {
  return { table, key, value: text === undefined ? undefined : parse(text) };
}

function recordOf([table, key, text, version]: Row): StoredRecord {
  return { table, key, value: JSON.parse(text), version };
}

function expected<K extends Answer['kind']>(kind: K, answer: Answer): Extract<Answer, { kind: K }> {
  if (answer.kind !== kind) throw new Error(`the thread of the store answered ${answer.kind}, not ${kind}`);
  return answer as Extract<Answer, { kind: K }>;
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
