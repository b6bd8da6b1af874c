import { LabError, type LabIdentity, openLab, removeLab } from '../../conformance/lab/lab.ts';
import { holdingsBelow, removeHoldings } from './containers.ts';

/** Removes a lab with everything its agents made; also what a crash left of it. @throws LabError naming what is left */
export async function labDown(identity: LabIdentity): Promise<void> {
  await endWeir(identity.dir);
  const left = await removeHoldings(holdingsBelow(identity.dir));
  await removeLab(identity);
  if (left.length > 0)
    throw new LabError(
      'WEIR_LAB_LEFTOVERS',
      `Cannot remove lab ${identity.name} completely: ${left.join(', ')} is left`,
    );
}

/** First the processes that would make new containers. A lab that cannot be opened has only what `removeLab` finds by its name. */
async function endWeir(dir: string): Promise<void> {
  const lab = await openLab(dir).catch(() => undefined);
  for (const host of (await lab?.status()) ?? [])
    for (const process of host.processes) if (process.alive) await lab?.kill(host.name, process.name);
}
