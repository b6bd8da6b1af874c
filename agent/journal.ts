import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import type { InstanceRecord } from './record.ts';

/** Instance records on disk, one file each, replaced as a whole: after a crash a record is the old one or the new one. */
export class Journal {
  readonly #folder: string;
  readonly #log: Log;

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  /** All records; a file that cannot be read is reported and left for a person to look at. */
  async load(): Promise<ReadonlyMap<string, InstanceRecord>> {
    await mkdir(this.#folder, { recursive: true });
    const records = new Map<string, InstanceRecord>();
    for (const file of await readdir(this.#folder)) {
      // Half written when the agent died; nothing was done that it would have recorded.
      if (file.endsWith('.json.new')) await rm(join(this.#folder, file), { force: true });
      if (!file.endsWith('.json')) continue;
      try {
        const record = JSON.parse(await readFile(join(this.#folder, file), 'utf8')) as InstanceRecord;
        records.set(file.slice(0, -'.json'.length), record);
      } catch (error) {
        this.#log.error('journal record cannot be read', { file, error: errorText(error) });
      }
    }
    return records;
  }

  async put(key: string, record: InstanceRecord): Promise<void> {
    const path = this.#path(key);
    const file = await open(`${path}.new`, 'w');
    try {
      await file.writeFile(JSON.stringify(record));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }

  async delete(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  #path(key: string): string {
    return join(this.#folder, `${key}.json`);
  }
}
