import type { Attachment } from '../attachment.ts';
import { keyOf } from '../cache/cache.ts';
import type { AttachmentRecord } from '../cache/record.ts';
import type { NetworkList } from '../config/network.ts';
import { CniError, gather, withContext } from '../errors.ts';
import { addChain, findPlugins, undoChain } from '../invoke/chain.ts';
import { checkArgs } from '../invoke/environment.ts';
import { checkKey } from '../names.ts';
import type { CniResult } from '../result/result.ts';
import { undo } from './detach.ts';
import type { Runtime } from './runtime.ts';

type AttachRequest = { readonly attachment: Attachment; readonly signal?: AbortSignal | undefined };

export async function attach(
  runtime: Runtime,
  network: NetworkList,
  request: AttachRequest,
): Promise<CniResult> {
  const { attachment } = request;
  return located(network, attachment, () => {
    checkAttachment(attachment);
    const claim = { containerId: attachment.containerId, network: network.name };
    return runtime.schedule.run(claim, () => attachNow(runtime, network, request));
  });
}

async function attachNow(runtime: Runtime, network: NetworkList, request: AttachRequest): Promise<CniResult> {
  if (request.signal?.aborted) throw new CniError('WEIR_CNI_ABORTED', 'the caller gave up');
  const record: AttachmentRecord = { network, attachment: request.attachment, bootId: runtime.bootId };
  await refuseExisting(runtime, record);
  await findPlugins(runtime.invoker, network);
  await runtime.cache.markPending(record);
  try {
    const result = await addChain(runtime.invoker, network, request);
    await runtime.cache.markComplete({ ...record, result });
    return result;
  } catch (error) {
    await cleanUp(runtime, record);
    throw error;
  }
}

/** The specification forbids a second ADD without a DEL between. The rest of an attempt that failed is taken down first. */
async function refuseExisting(runtime: Runtime, record: AttachmentRecord): Promise<void> {
  const key = keyOf(record);
  if ((await runtime.cache.complete(key)) !== undefined) {
    throw new CniError('WEIR_CNI_ATTACHED', 'it is attached already, detach it first', { cniCode: 4 });
  }
  const leftOver = await runtime.cache.pending(key);
  if (leftOver !== undefined) await undo(runtime, leftOver);
}

/** Never throws a CniError: the caller is to hear why the ADD failed. */
async function cleanUp(runtime: Runtime, record: AttachmentRecord): Promise<void> {
  const errors = await undoChain(runtime.invoker, record.network, record.attachment);
  // The mark of an attachment that is not clean stays: the next add, del or recover of it goes on from there.
  if (errors.length === 0) await gather(errors, () => runtime.cache.forget(keyOf(record)));
  for (const { message } of errors)
    runtime.log.warn('clean-up after a failed ADD failed', { reason: message });
}

function checkAttachment(attachment: Attachment): void {
  checkKey(attachment);
  checkArgs(attachment);
  if (attachment.netns !== '') return;
  throw new CniError('WEIR_CNI_ARGUMENT', 'the path of the network namespace is empty', { cniCode: 4 });
}

async function located<T>(network: NetworkList, attachment: Attachment, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CniError) || error.context.command !== undefined) throw error;
    const { containerId, ifName } = attachment;
    throw withContext(error, { command: 'ADD', network: network.name, containerId, ifName });
  }
}
