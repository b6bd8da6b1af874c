import type { Journal } from '../journal.ts';
import type { InstanceRecord } from '../record.ts';

/** A journal without a disk: nothing about it takes time. */
export class MemoryJournal implements Pick<Journal, 'load' | 'put' | 'delete'> {
  readonly records = new Map<string, InstanceRecord>();
  /** Every write fails. */
  isFull = false;

  async load(): Promise<ReadonlyMap<string, InstanceRecord>> {
    return new Map(this.records);
  }

  async put(key: string, record: InstanceRecord): Promise<void> {
    if (this.isFull) throw new Error('no space left on device');
    this.records.set(key, record);
  }

  async delete(key: string): Promise<void> {
    this.records.delete(key);
  }
}
