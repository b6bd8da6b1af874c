import type { Attachment } from '../attachment.ts';
import type { NetworkList } from '../config/network.ts';
import { CniError, type CniErrorContext } from '../errors.ts';
import { checkChain } from '../invoke/chain.ts';
import { checkKey } from '../names.ts';
import { atLeast } from '../versions.ts';
import type { Runtime } from './runtime.ts';

export async function check(runtime: Runtime, network: NetworkList, attachment: Attachment): Promise<void> {
  checkKey(attachment);
  const { containerId } = attachment;
  const claim = { containerId, network: network.name };
  await runtime.schedule.run(claim, () => checkNow(runtime, network, attachment));
}

async function checkNow(runtime: Runtime, network: NetworkList, attachment: Attachment): Promise<void> {
  const { containerId, ifName } = attachment;
  const where = { command: 'CHECK', network: network.name, containerId, ifName };
  const record = await runtime.cache.complete({ network: network.name, containerId, ifName });
  const used = record?.network ?? network;
  if (used.disableCheck) return;
  if (!atLeast(used.cniVersion, '0.4.0')) throw tooOld(used, where);
  if (record?.result === undefined) throw notAttached(where);
  const { capabilityArgs, cniArgs } = record.attachment;
  await checkChain(runtime.invoker, used, {
    attachment: {
      ...attachment,
      ...(capabilityArgs === undefined ? {} : { capabilityArgs }),
      ...(cniArgs === undefined ? {} : { cniArgs }),
    },
    result: record.result,
  });
}

function tooOld(network: NetworkList, where: CniErrorContext): CniError {
  const reason = `CNI ${network.cniVersion} has no CHECK, the list must offer 0.4.0 or later`;
  return new CniError('WEIR_CNI_VERSION', reason, { ...where, cniCode: 1 });
}

function notAttached(where: CniErrorContext): CniError {
  return new CniError('WEIR_CNI_NOT_ATTACHED', 'there is no record of it being attached', where);
}
