import { access } from 'node:fs/promises';
import type { Attachment } from '../attachment.ts';
import { keyOf, type RecordKey } from '../cache/cache.ts';
import type { AttachmentRecord } from '../cache/record.ts';
import type { NetworkList } from '../config/network.ts';
import { delChain } from '../invoke/chain.ts';
import { checkKey } from '../names.ts';
import type { Runtime } from './runtime.ts';

export async function detach(
  runtime: Runtime,
  network: NetworkList | string | undefined,
  attachment: Attachment,
): Promise<void> {
  checkKey(attachment);
  if (network === undefined) return detachWherever(runtime, attachment);
  const name = typeof network === 'string' ? network : network.name;
  const { containerId, ifName } = attachment;
  await runtime.schedule.run({ containerId, network: name }, async () => {
    const record = await known(runtime, { network: name, containerId, ifName });
    const merged = mergedRecord(record, network, attachment);
    if (merged !== undefined) await undo(runtime, merged);
  });
}

async function detachWherever(runtime: Runtime, attachment: Attachment): Promise<void> {
  const names = new Set((await runtime.cache.find(attachment)).map((record) => record.network.name));
  for (const name of names) await detach(runtime, name, attachment);
}

async function known({ cache }: Runtime, key: RecordKey): Promise<AttachmentRecord | undefined> {
  return (await cache.complete(key)) ?? (await cache.pending(key));
}

/** Configuration and arguments stay those of the ADD; the caller knows best where the namespace is now. */
function mergedRecord(
  record: AttachmentRecord | undefined,
  network: NetworkList | string,
  attachment: Attachment,
): AttachmentRecord | undefined {
  if (record !== undefined) {
    const netns = attachment.netns === '' ? record.attachment.netns : attachment.netns;
    return { ...record, attachment: { ...record.attachment, netns } };
  }
  return typeof network === 'string' ? undefined : { network, attachment };
}

/** Runs DEL and forgets the attachment. Must be called in the turn of its container. */
export async function undo(runtime: Runtime, record: AttachmentRecord): Promise<void> {
  const key = keyOf(record);
  await runtime.cache.markLeaving(key);
  const netns = await usableNamespace(runtime, record);
  await delChain(runtime.invoker, record.network, {
    attachment: { ...record.attachment, netns },
    result: record.result,
  });
  await runtime.cache.forget(key);
}

/** A path that is gone is given as none. So is one of an earlier boot: today it may be another container's. */
async function usableNamespace(runtime: Runtime, { attachment, bootId }: AttachmentRecord): Promise<string> {
  if (attachment.netns === '' || (bootId !== undefined && bootId !== runtime.bootId)) return '';
  try {
    await access(attachment.netns);
    return attachment.netns;
  } catch {
    return '';
  }
}
