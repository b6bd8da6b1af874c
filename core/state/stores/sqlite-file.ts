import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Change, CommitResult, StoredRecord, TableName, Write } from '../store.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS records (
    tbl TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (tbl, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 1;
`;

export type Outcome = { readonly result: CommitResult; readonly change?: Change };

type Row = {
  readonly tbl: TableName;
  readonly key: string;
  readonly value: string;
  readonly version: number;
};

/**
 * The SQLite file itself: everything here is synchronous and throws SQLite's own errors.
 * The exclusive locking mode keeps a lock of the operating system as long as the file is open, so it dies with the process.
 */
export class SqliteFile {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #setCounter: StatementSync;
  #revision: number;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 0 });
    try {
      this.#database.exec('PRAGMA locking_mode = EXCLUSIVE');
      this.#database.exec('PRAGMA journal_mode = WAL');
      this.#database.exec('PRAGMA synchronous = FULL');
      this.#inTransaction(() => this.#database.exec(schema));
    } catch (error) {
      this.#database.close();
      throw error;
    }
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#select = prepare('SELECT tbl, key, value, version FROM records WHERE tbl = ? AND key = ?');
    this.#put = prepare('INSERT OR REPLACE INTO records (tbl, key, value, version) VALUES (?, ?, ?, ?)');
    this.#delete = prepare('DELETE FROM records WHERE tbl = ? AND key = ?');
    this.#setCounter = prepare('INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)');
    this.#revision = this.#counter('revision');
  }

  get revision(): number {
    return this.#revision;
  }

  list(): readonly StoredRecord[] {
    const rows = this.#database.prepare('SELECT tbl, key, value, version FROM records').all() as Row[];
    return rows.map(recordOf);
  }

  get(table: TableName, key: string): StoredRecord | undefined {
    const row = this.#select.get(table, key) as Row | undefined;
    return row === undefined ? undefined : recordOf(row);
  }

  /** Each element is one commit; they are decided in order, each against what the ones before it left. */
  transaction(commits: readonly (readonly Write[])[]): readonly Outcome[] {
    const before = this.#revision;
    try {
      return this.#inTransaction(() => commits.map((writes) => this.#commit(writes)));
    } catch (error) {
      this.#revision = before;
      throw error;
    }
  }

  nextFence(lock: string): number {
    const fence = this.#counter(`fence ${lock}`) + 1;
    this.#setCounter.run(`fence ${lock}`, fence);
    return fence;
  }

  close(): void {
    this.#database.close();
  }

  #commit(writes: readonly Write[]): Outcome {
    const lost = writes.find((write) => !this.#isExpected(write));
    if (lost !== undefined) return { result: { kind: 'conflict', table: lost.table, key: lost.key } };
    if (writes.length === 0) return { result: { kind: 'committed', revision: this.#revision } };
    this.#revision += 1;
    const revision = this.#revision;
    const records = writes.map((write) => this.#write(write, revision));
    this.#setCounter.run('revision', revision);
    return { result: { kind: 'committed', revision }, change: { revision, records } };
  }

  #isExpected(write: Write): boolean {
    if (write.expect === undefined) return true;
    const row = this.#select.get(write.table, write.key) as Row | undefined;
    return write.expect === (row?.version ?? 0);
  }

  #write(write: Write, revision: number): Change['records'][number] {
    const { table, key } = write;
    if (write.kind === 'delete') {
      this.#delete.run(table, key);
      return { table, key, value: undefined };
    }
    const text = JSON.stringify(write.value);
    this.#put.run(table, key, text, revision);
    return { table, key, value: JSON.parse(text) };
  }

  #inTransaction<T>(action: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = action();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #counter(name: string): number {
    const row = this.#database.prepare('SELECT value FROM counters WHERE name = ?').get(name);
    return typeof row?.value === 'number' ? row.value : 0;
  }
}

function recordOf(row: Row): StoredRecord {
  return { table: row.tbl, key: row.key, value: JSON.parse(row.value), version: row.version };
}
