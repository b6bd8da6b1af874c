import { constants } from 'node:os';
import type { Clock } from '../../../core/kit/clock.ts';
import { readIfThere } from '../local/files.ts';
import { type ProcessMark, signalProcess } from '../local/process-mark.ts';
import { anyAlive, descendants } from '../local/process-tree.ts';

const lookAgainMs = 10;

/**
 * SIGTERM to a container. The kernel withholds it from the first process of a process namespace unless that catches it,
 * so a plain `sleep` or a shell would sit out its grace. Therefore: a first process that catches SIGTERM gets it, alone,
 * and sees to its own children. Otherwise every other process gets it (as Mesos ends a task's whole tree), and when those
 * are gone the default action is carried out for the first one: it is killed, after `beforeKill`.
 */
export async function terminate(
  leader: ProcessMark,
  options: { clock: Clock; signal: AbortSignal; beforeKill: () => Promise<void> },
): Promise<void> {
  const { clock, signal, beforeKill } = options;
  const handling = await sigtermHandling(leader.pid);
  if (handling === 'caught') return signalProcess(leader, 'SIGTERM');
  // Orphans of the container become children of its first process, so its tree is all of it.
  const others = await descendants(leader);
  for (const other of others) await signalProcess(other, 'SIGTERM');
  if (handling === 'ignored') return;
  while (!signal.aborted && (await anyAlive(others))) await clock.sleep(lookAgainMs, signal).catch(() => {});
  if (signal.aborted) return;
  await beforeKill();
  await signalProcess(leader, 'SIGKILL');
}

type Handling = 'caught' | 'ignored' | 'default';

async function sigtermHandling(pid: number): Promise<Handling> {
  const status = (await readIfThere(`/proc/${pid}/status`)) ?? '';
  if (hasSigterm(status, 'SigCgt')) return 'caught';
  return hasSigterm(status, 'SigIgn') ? 'ignored' : 'default';
}

/** proc_pid_status(5): a hexadecimal mask whose lowest bit is signal 1. */
export function hasSigterm(status: string, mask: 'SigCgt' | 'SigIgn'): boolean {
  const digits = new RegExp(`^${mask}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${digits}`) >> BigInt(constants.signals.SIGTERM - 1)) & 1n) === 1n;
}
