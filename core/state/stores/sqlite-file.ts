import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { TableName } from '../store.ts';
import type { Outcome, Row, TextWrite } from './sqlite-messages.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS records (
    tbl TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (tbl, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 1;
`;

/** Rows of one table after a key, in the order of their keys; `next`: the last key. No key is empty. */
const listing = `
  SELECT group_concat(row) AS rows, max(key) AS next FROM (
    SELECT key, '[' || json_quote(tbl) || ',' || json_quote(key) || ',' || value || ',' || version || ']' AS row
    FROM records WHERE tbl = ? AND key > ? ORDER BY key LIMIT ?
  )
`;

type ListedPart = { readonly rows: string | null; readonly next: string | null };

type Columns = {
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

  /** Everything, so many rows at a time, each time as the JSON of an array of ListedRow: SQLite puts them together itself. */
  *list(atOnce: number): Iterable<string> {
    const tables = this.#database.prepare('SELECT DISTINCT tbl FROM records').all();
    const part = this.#database.prepare(listing);
    for (const { tbl } of tables)
      for (let last: string | null = ''; last !== null; ) {
        const { rows, next } = part.get(tbl as string, last, atOnce) as ListedPart;
        if (rows !== null) yield `[${rows}]`;
        last = next;
      }
  }

  get(table: TableName, key: string): Row | undefined {
    const columns = this.#select.get(table, key) as Columns | undefined;
    return columns && rowOf(columns);
  }

  /** Each element is one commit; they are decided in order, each against what the ones before it left. */
  transaction(commits: readonly (readonly TextWrite[])[]): readonly Outcome[] {
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

  #commit(writes: readonly TextWrite[]): Outcome {
    const lost = writes.findIndex((write) => !this.#isExpected(write));
    if (lost !== -1) return { kind: 'conflict', lost };
    if (writes.length === 0) return { kind: 'committed', revision: this.#revision };
    this.#revision += 1;
    const revision = this.#revision;
    for (const { table, key, text } of writes)
      if (text === undefined) this.#delete.run(table, key);
      else this.#put.run(table, key, text, revision);
    this.#setCounter.run('revision', revision);
    return { kind: 'committed', revision };
  }

  #isExpected({ table, key, expect }: TextWrite): boolean {
    if (expect === undefined) return true;
    const columns = this.#select.get(table, key) as Columns | undefined;
    return expect === (columns?.version ?? 0);
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

function rowOf({ tbl, key, value, version }: Columns): Row {
  return [tbl, key, value, version];
}
