import { keyOf, type RecordKey } from '../cache/cache.ts';
import type { AttachmentRecord } from '../cache/record.ts';
import { CniError } from '../errors.ts';
import { undo } from './detach.ts';
import type { Runtime } from './runtime.ts';

export type Recovery = {
  /** Attachments that were taken down. */
  readonly detached: readonly RecordKey[];
  /** What could not be taken down; it is tried again by the next call, and by `del` or `add` of the same attachment. */
  readonly failed: readonly CniError[];
};

/** The first recovery of a process, before its first plugin runs: what its predecessor left running would disturb it. */
export async function recoverFirst(runtime: Runtime): Promise<Recovery> {
  const keys = (await runtime.cache.listPending()).map(keyOf);
  if (keys.length > 0) await runtime.invoker.exec.stopOrphans(keys);
  return recover(runtime);
}

export async function recover(runtime: Runtime): Promise<Recovery> {
  const pending = (await runtime.cache.listPending()).map((record) =>
    redo(runtime, record, runtime.cache.pending),
  );
  const old = (await runtime.cache.listComplete())
    .filter(({ bootId }) => bootId !== undefined && bootId !== runtime.bootId)
    .map((record) => redo(runtime, record, runtime.cache.complete));
  const outcomes = await Promise.all([...pending, ...old]);
  return {
    detached: outcomes.flatMap((outcome) =>
      outcome === undefined || outcome instanceof CniError ? [] : [outcome],
    ),
    failed: outcomes.filter((outcome) => outcome instanceof CniError),
  };
}

type Find = (key: RecordKey) => Promise<AttachmentRecord | undefined>;

/** Looks again when it is its turn: an operation of this process may have finished the attachment in the meantime. */
async function redo(
  runtime: Runtime,
  record: AttachmentRecord,
  find: Find,
): Promise<RecordKey | CniError | undefined> {
  const key = keyOf(record);
  try {
    return await runtime.schedule.run({ containerId: key.containerId, network: key.network }, async () => {
      const current = await find(key);
      if (current === undefined) return undefined;
      await undo(runtime, (await runtime.cache.complete(key)) ?? current);
      return key;
    });
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    runtime.log.warn('an interrupted attachment could not be taken down', { ...key, reason: error.message });
    return error;
  }
}
