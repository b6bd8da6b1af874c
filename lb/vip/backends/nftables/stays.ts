import type { VipChange } from '../../decide.ts';
import { VipApplyFailed } from '../../errors.ts';
import type { VipService } from '../../table.ts';
import { affinityOf, forgetStays, parseStays, placeOf, strayStays } from './affinity.ts';
import type { HostExec } from './host.ts';
import type { Nft } from './nft.ts';

type Parts = { readonly nft: Nft; readonly exec: HostExec };

/**
 * After the rules, which remember no client any more that goes to a backend that left: forgets those that did. Without
 * `changes`: of all services. Where no service that lets clients stay lost a backend, nothing is even listed.
 */
export async function forgetLost(
  { nft, exec }: Parts,
  services: Iterable<VipService>,
  changes?: readonly VipChange[],
): Promise<void> {
  if (nft.own.family === 6) return;
  const among = changes && new Set(changes.filter(mayLose).map(({ service }) => placeOf(service)));
  if (among?.size === 0) return;
  const all = [...services];
  for (const l4 of ['tcp', 'udp'] as const) {
    const own = all.filter(({ protocol }) => protocol === l4);
    await again(3, async () => {
      const listed = await exec('nft', ['list', 'map', ...nft.name.split(' '), `${l4}-affinity`]);
      if (listed.exitCode !== 0) throw new VipApplyFailed('nftables', listed.stderr.trim().slice(0, 500));
      for (const transaction of forgetStays(nft.own, l4, strayStays(parseStays(listed.stdout), own, among)))
        await nft.perform(transaction);
    });
  }
}

/** Clients may be remembered that went to backends which the service does not have any more. */
function mayLose(change: VipChange): boolean {
  if (change.type === 'add') return false;
  if (change.type === 'remove') return affinityOf(change.service) !== undefined;
  const { before, service, gone } = change;
  return affinityOf(before) !== undefined && (affinityOf(service) === undefined || gone.length > 0);
}

/** A client whose time ended in between and that came again is led elsewhere by now: what was listed of it is wrong. */
async function again(times: number, run: () => Promise<void>): Promise<void> {
  for (let left = times; ; left--) {
    try {
      return await run();
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
}
