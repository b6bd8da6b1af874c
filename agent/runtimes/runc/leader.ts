import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere, writeWhole } from '../local/files.ts';
import { bootId, formatMark, type ProcessMark, readMark } from '../local/process-mark.ts';
import type { ContainerRecord } from '../local/records.ts';

/** Notes the first process so that it will be known again. It waits for `runc start`, so it is still there. */
export async function noteLeader(record: ContainerRecord, pid: number): Promise<void> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  await writeWhole(record.paths.leader, formatMark(await bootId(), stat));
}

/** As noted; else as runc notes it, for an agent that was killed before it could. */
export async function leaderOf(record: ContainerRecord, runcRoot: string): Promise<ProcessMark | undefined> {
  const noted = await readMark(record.paths.leader);
  if (noted !== undefined) return noted;
  const text = await readIfThere(join(runcRoot, record.paths.name, 'state.json'));
  const claim = await readMark(record.paths.claim);
  return text === undefined || claim === undefined ? undefined : parseRuncState(text, claim.bootId);
}

function parseRuncState(text: string, boot: string): ProcessMark | undefined {
  try {
    const state = JSON.parse(text) as { init_process_pid?: number; init_process_start?: number };
    const { init_process_pid: pid, init_process_start: startTicks } = state;
    return pid && startTicks ? { pid, startTicks, bootId: boot } : undefined;
  } catch {
    // Half written: there is no first process yet.
    return undefined;
  }
}
