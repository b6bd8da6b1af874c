import type { Instance } from '../core/model/instance.ts';
import type { Journal } from './journal.ts';
import { type InstanceRecord, instanceOf } from './record.ts';

/** What becomes other in a record, from the record as it is when its turn comes; undefined: nothing. */
export type RecordChange =
  | Partial<InstanceRecord>
  | ((record: InstanceRecord) => Partial<InstanceRecord> | undefined);

/** What keeps records. */
type Records = Pick<Journal, 'load' | 'put' | 'delete'>;

/**
 * The agent's records: in memory to decide on, on disk to survive, and with a note of which ones the master has not
 * heard of yet. The disk comes first: what was reported is never forgotten. Changes of one record happen one after the
 * other, so that an exit and the end of a launch, which come together when a program fails at once, do not overwrite each other.
 */
export class Instances {
  readonly #journal: Records;
  readonly #records = new Map<string, InstanceRecord>();
  readonly #unreported = new Set<string>();
  readonly #turns = new Map<string, Promise<void>>();
  readonly #onChange: () => void;

  constructor(journal: Records, onChange: () => void) {
    this.#journal = journal;
    this.#onChange = onChange;
  }

  get all(): ReadonlyMap<string, InstanceRecord> {
    return this.#records;
  }

  get(key: string): InstanceRecord | undefined {
    return this.#records.get(key);
  }

  async load(): Promise<void> {
    for (const [key, record] of await this.#journal.load()) this.#records.set(key, record);
  }

  put(key: string, record: InstanceRecord): Promise<void> {
    return this.#inTurn(key, async () => {
      await this.#journal.put(key, record);
      this.#set(key, record);
    });
  }

  update(key: string, change: RecordChange): Promise<void> {
    return this.#inTurn(key, async () => {
      const record = this.#records.get(key);
      const changed = record && changedBy(change, record);
      if (record === undefined || changed === undefined) return;
      await this.#journal.put(key, changed);
      // What was observed meanwhile stays.
      this.#set(key, changedBy(change, this.#records.get(key) ?? record) ?? changed);
    });
  }

  /** What changes often and is found again by looking: reported, not written. */
  observe(key: string, change: RecordChange): void {
    const record = this.#records.get(key);
    const changed = record && changedBy(change, record);
    if (changed !== undefined) this.#set(key, changed);
  }

  forget(key: string): Promise<void> {
    return this.#inTurn(key, async () => {
      await this.#journal.delete(key);
      this.#records.delete(key);
      this.#unreported.delete(key);
    });
  }

  /** What the master has not heard; `restore` puts it back when the report did not arrive. */
  takeUnreported(): { readonly instances: readonly Instance[]; readonly restore: () => void } {
    const keys = [...this.#unreported];
    this.#unreported.clear();
    return {
      instances: keys.flatMap((key) => this.#instance(key)),
      restore: () => {
        for (const key of keys) if (this.#records.has(key)) this.#unreported.add(key);
      },
    };
  }

  everything(): readonly Instance[] {
    this.#unreported.clear();
    return [...this.#records.keys()].flatMap((key) => this.#instance(key));
  }

  async #inTurn(key: string, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(act);
    const over = turn.catch(() => {});
    this.#turns.set(key, over);
    try {
      await turn;
    } finally {
      if (this.#turns.get(key) === over) this.#turns.delete(key);
    }
  }

  #instance(key: string): readonly Instance[] {
    const record = this.#records.get(key);
    return record === undefined ? [] : [instanceOf(record)];
  }

  #set(key: string, record: InstanceRecord): void {
    this.#records.set(key, record);
    this.#unreported.add(key);
    this.#onChange();
  }
}

function changedBy(change: RecordChange, record: InstanceRecord): InstanceRecord | undefined {
  const changed = typeof change === 'function' ? change(record) : change;
  return changed && { ...record, ...changed };
}
