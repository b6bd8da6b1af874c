import type { ContainerState } from '../../runtime.ts';
import { readEnd, recordUnseenEnd } from './ending.ts';
import { isThere, writtenAt } from './files.ts';
import { isAlive, type ProcessMark, readMark } from './process-mark.ts';
import type { ContainerRecord } from './records.ts';

/** What differs between runtimes in finding a container's state. */
export type StateSource = {
  /** The first process, once there is one. */
  leader(record: ContainerRecord): Promise<ProcessMark | undefined>;
  /** True when a start was begun and the program has not been executed. */
  isHeld(record: ContainerRecord): Promise<boolean>;
};

/**
 * A container's state from what is on disk and in /proc. When neither first process nor monitor is left and no end is on
 * record, none will ever come: the end is recorded as lost, so that its time stays the same from then on.
 */
export async function stateOf(record: ContainerRecord, source: StateSource): Promise<ContainerState> {
  const end = await readEnd(record);
  if (end !== undefined) return { kind: 'ended', end };
  if (!(await isThere(record.paths.claim)) || (await source.isHeld(record))) return { kind: 'created' };
  const monitored = await isMonitored(record);
  const leader = await source.leader(record);
  if (leader === undefined && monitored) return { kind: 'created' };
  if (leader !== undefined && (monitored || (await isAlive(leader)))) return running(record, leader);
  return lost(record);
}

export async function isMonitored(record: ContainerRecord): Promise<boolean> {
  const monitor = await readMark(record.paths.claim);
  return monitor !== undefined && (await isAlive(monitor));
}

async function running(record: ContainerRecord, leader: ProcessMark): Promise<ContainerState> {
  return { kind: 'running', pid: leader.pid, since: Math.round((await writtenAt(record.paths.leader)) ?? 0) };
}

async function lost(record: ContainerRecord): Promise<ContainerState> {
  const late = await readEnd(record);
  if (late !== undefined) return { kind: 'ended', end: late };
  await recordUnseenEnd(record, 'lost');
  const end = await readEnd(record);
  return end === undefined ? { kind: 'created' } : { kind: 'ended', end };
}
