import type { NetworkList } from '../config/network.ts';
import { statusChain } from '../invoke/chain.ts';
import { atLeast } from '../versions.ts';
import type { Runtime } from './runtime.ts';

/** Networks older than 1.1 cannot be asked and count as ready. */
export async function status(runtime: Runtime, network: NetworkList): Promise<void> {
  if (!atLeast(network.cniVersion, '1.1.0')) return;
  await runtime.schedule.run({}, () => statusChain(runtime.invoker, network));
}
