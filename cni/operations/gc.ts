import { keyOf } from '../cache/cache.ts';
import type { AttachmentRecord } from '../cache/record.ts';
import type { NetworkList } from '../config/network.ts';
import { CniError } from '../errors.ts';
import { gcChain } from '../invoke/chain.ts';
import type { AttachmentKey } from '../names.ts';
import { atLeast } from '../versions.ts';
import { undo } from './detach.ts';
import type { Runtime } from './runtime.ts';

export async function collectGarbage(
  runtime: Runtime,
  network: NetworkList,
  valid: readonly AttachmentKey[],
): Promise<void> {
  if (network.disableGC) return;
  const before = await recordsOf(runtime, network);
  const stale = before.filter((record) => !includes(valid, record.attachment));
  const detached = stale.map((record) => detachStale(runtime, record));
  // Queued behind the detaching above: both claim the network.
  const collected = runtime.schedule.run({ network: network.name, exclusive: true }, async () => {
    // What was attached after the caller made its list is live too.
    const since = (await recordsOf(runtime, network)).filter(
      (record) => !includes(keysOf(before), record.attachment),
    );
    return atLeast(network.cniVersion, '1.1.0')
      ? gcChain(runtime.invoker, network, distinct([...valid, ...keysOf(since)]))
      : [];
  });
  const settled = await Promise.allSettled([...detached, collected.then(throwAny)]);
  throwAny(
    settled.flatMap((outcome) => (outcome.status === 'rejected' ? flatten(outcome.reason) : [])),
    network,
  );
}

async function recordsOf({ cache }: Runtime, network: NetworkList): Promise<readonly AttachmentRecord[]> {
  return (await cache.listComplete()).filter((record) => record.network.name === network.name);
}

function detachStale(runtime: Runtime, record: AttachmentRecord): Promise<void> {
  const { network, containerId } = keyOf(record);
  return runtime.schedule.run({ network, containerId }, async () => {
    const current = await runtime.cache.complete(keyOf(record));
    if (current !== undefined) await undo(runtime, current);
  });
}

function keysOf(records: readonly AttachmentRecord[]): AttachmentKey[] {
  return records.map(({ attachment }) => ({
    containerId: attachment.containerId,
    ifName: attachment.ifName,
  }));
}

function includes(keys: readonly AttachmentKey[], wanted: AttachmentKey): boolean {
  return keys.some((key) => key.containerId === wanted.containerId && key.ifName === wanted.ifName);
}

function distinct(keys: readonly AttachmentKey[]): AttachmentKey[] {
  return keys.filter((key, index) => !includes(keys.slice(0, index), key));
}

function flatten(error: unknown): Error[] {
  if (error instanceof CniError && error.code === 'WEIR_CNI_GC') return [...error.errors];
  return [error instanceof Error ? error : new Error(String(error))];
}

function throwAny(errors: readonly Error[], network?: NetworkList): void {
  if (errors.length === 0) return;
  const reason = errors.map((error) => error.message).join('; ');
  throw new CniError('WEIR_CNI_GC', reason, { command: 'GC', network: network?.name, errors });
}
