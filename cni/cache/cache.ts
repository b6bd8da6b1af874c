import { link, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import { CniError } from '../errors.ts';
import type { AttachmentKey } from '../names.ts';
import { writeDurably } from './durable.ts';
import { type AttachmentRecord, formatRecord, parseRecord } from './record.ts';

/** An attachment of one network. */
export type RecordKey = AttachmentKey & { readonly network: string };

/**
 * Attachments on disk. `results/` is libcni's folder: one file per attachment whose ADD is complete. `pending/` holds the attachments
 * that an ADD or DEL is working on, so that one that was interrupted can be found and undone.
 */
export type Cache = {
  /** The record of a complete ADD. An unreadable one is logged and counts as absent: DEL then goes on without a previous result. */
  complete(key: RecordKey): Promise<AttachmentRecord | undefined>;
  pending(key: RecordKey): Promise<AttachmentRecord | undefined>;
  listComplete(): Promise<readonly AttachmentRecord[]>;
  listPending(): Promise<readonly AttachmentRecord[]>;
  /** Records of one interface of one container, whatever the network. */
  find(key: AttachmentKey): Promise<readonly AttachmentRecord[]>;
  /** Durable before it returns. @throws CniError WEIR_CNI_CACHE */
  markPending(record: AttachmentRecord): Promise<void>;
  /** Marks a complete attachment as being taken down. @throws CniError WEIR_CNI_CACHE */
  markLeaving(key: RecordKey): Promise<void>;
  /** Writes the complete record and takes the pending mark away. @throws CniError WEIR_CNI_CACHE */
  markComplete(record: AttachmentRecord): Promise<void>;
  /** Takes both away. @throws CniError WEIR_CNI_CACHE */
  forget(key: RecordKey): Promise<void>;
};

export function createCache(dir: string, log: Log): Cache {
  const results = join(dir, 'results');
  const pending = join(dir, 'pending');
  return {
    complete: (key) => read(join(results, fileName(key)), key, log),
    pending: (key) => read(join(pending, fileName(key)), key, log),
    listComplete: () => readAll(results, '', log),
    listPending: () => readAll(pending, '', log),
    async find(key) {
      const suffix = `-${key.containerId}-${key.ifName}`;
      const records = [...(await readAll(results, suffix, log)), ...(await readAll(pending, suffix, log))];
      return records.filter((record) => isSame(keyOf(record), { ...key, network: record.network.name }));
    },
    markPending: (record) => write(join(pending, fileName(keyOf(record))), record),
    markLeaving: (key) => linkFile(results, pending, fileName(key)),
    async markComplete(record) {
      const name = fileName(keyOf(record));
      await write(join(results, name), record);
      await remove(join(pending, name));
    },
    async forget(key) {
      // The pending mark goes last: a crash between the two leaves something to find.
      await remove(join(results, fileName(key)));
      await remove(join(pending, fileName(key)));
    },
  };
}

export function keyOf({ network, attachment }: AttachmentRecord): RecordKey {
  return { network: network.name, containerId: attachment.containerId, ifName: attachment.ifName };
}

function fileName({ network, containerId, ifName }: RecordKey): string {
  return `${network}-${containerId}-${ifName}`;
}

async function read(path: string, key: RecordKey, log: Log): Promise<AttachmentRecord | undefined> {
  const record = await readRecord(path, log);
  // "a-b" + "c" and "a" + "b-c" share a file name.
  if (record === undefined || isSame(keyOf(record), key)) return record;
  throw cacheError(`${path} belongs to another attachment`);
}

function isSame(a: RecordKey, b: RecordKey): boolean {
  return a.network === b.network && a.containerId === b.containerId && a.ifName === b.ifName;
}

async function readRecord(path: string, log: Log): Promise<AttachmentRecord | undefined> {
  try {
    return parseRecord(await readFile(path, 'utf8'));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT')
      log.warn('cached attachment is unreadable', { path, reason: errorText(error) });
    return undefined;
  }
}

async function readAll(dir: string, suffix: string, log: Log): Promise<AttachmentRecord[]> {
  const names = (await listed(dir)).filter((name) => name.endsWith(suffix) && !name.startsWith('.'));
  const records: AttachmentRecord[] = [];
  for (const name of names) {
    const record = await readRecord(join(dir, name), log);
    if (record !== undefined) records.push(record);
  }
  return records;
}

async function listed(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw cacheError(`${dir} cannot be read: ${errorText(error)}`, error);
  }
}

async function write(path: string, record: AttachmentRecord): Promise<void> {
  try {
    await writeDurably(path, formatRecord(record));
  } catch (error) {
    throw cacheError(`${path} cannot be written: ${errorText(error)}`, error);
  }
}

/** Atomic and cheap. It need not survive a crash of the machine: after one, every attachment of the old boot is taken down anyway. */
async function linkFile(from: string, to: string, name: string): Promise<void> {
  try {
    await mkdir(to, { recursive: true, mode: 0o700 });
    await link(join(from, name), join(to, name));
  } catch (error) {
    if (errorCode(error) === 'EEXIST' || errorCode(error) === 'ENOENT') return;
    throw cacheError(`${join(to, name)} cannot be made: ${errorText(error)}`, error);
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw cacheError(`${path} cannot be removed: ${errorText(error)}`, error);
  }
}

function cacheError(reason: string, cause?: unknown): CniError {
  return new CniError('WEIR_CNI_CACHE', reason, { cniCode: 5, cause });
}
