import type { Change, StoredRecord, TableName, Write } from '../store.ts';

/** The present records of a store that keeps them in memory. */
export class Records {
  readonly #byAddress = new Map<string, StoredRecord>();

  constructor(records: readonly StoredRecord[] = []) {
    for (const record of records) this.#byAddress.set(address(record.table, record.key), record);
  }

  get(table: TableName, key: string): StoredRecord | undefined {
    return this.#byAddress.get(address(table, key));
  }

  all(): readonly StoredRecord[] {
    return [...this.#byAddress.values()];
  }

  /** The first write that expects another version than there is. */
  lostBy(writes: readonly Write[]): Write | undefined {
    return writes.find(
      ({ table, key, expect }) => expect !== undefined && expect !== (this.get(table, key)?.version ?? 0),
    );
  }

  apply({ revision, records }: Change): void {
    for (const { table, key, value } of records) {
      if (value === undefined) this.#byAddress.delete(address(table, key));
      else this.#byAddress.set(address(table, key), { table, key, value, version: revision });
    }
  }
}

/** What a commit changes, with the values a store that writes JSON gives back. */
export function changeOf(writes: readonly Write[], revision: number): Change {
  const records = writes.map((write) => ({
    table: write.table,
    key: write.key,
    value: write.kind === 'put' ? JSON.parse(JSON.stringify(write.value)) : undefined,
  }));
  return { revision, records };
}

function address(table: TableName, key: string): string {
  return `${table}\n${key}`;
}
