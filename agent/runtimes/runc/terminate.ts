import { constants } from 'node:os';
import type { Clock } from '../../../core/kit/clock.ts';
import { readIfThere } from '../local/files.ts';
import { isAlive, type ProcessMark, parseStat, signalProcess } from '../local/process-mark.ts';
import { anyAlive, descendants } from '../local/process-tree.ts';

const lookAgainMs = 2;

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
  const { signal, beforeKill } = options;
  const handling = await sigtermHandling(leader.pid);
  if (handling === 'caught') return ask(leader);
  // Orphans of the container become children of its first process, so its tree is all of it.
  const others = await descendants(leader);
  for (const other of others) await signalProcess(other, 'SIGTERM');
  if (handling === 'ignored') return;
  while (!signal.aborted && (await anyAlive(others))) await pause(options);
  // A program that was just started may have begun to catch SIGTERM meanwhile; held, it cannot between look and kill.
  await hold(leader, options);
  if (signal.aborted) return;
  if ((await sigtermHandling(leader.pid)) === 'default') {
    await beforeKill();
    return signalProcess(leader, 'SIGKILL');
  }
  await ask(leader);
}

/** SIGTERM; one that is held, also by an agent that was killed meanwhile, goes on to see it. */
async function ask(leader: ProcessMark): Promise<void> {
  await signalProcess(leader, 'SIGTERM');
  if (await isHeld(leader.pid)) await signalProcess(leader, 'SIGCONT');
}

/** Stops a process; done when it runs no more instructions. */
async function hold(leader: ProcessMark, options: { clock: Clock; signal: AbortSignal }): Promise<void> {
  await signalProcess(leader, 'SIGSTOP');
  while (!options.signal.aborted && (await isAlive(leader)) && !(await isHeld(leader.pid)))
    await pause(options);
}

async function isHeld(pid: number): Promise<boolean> {
  const stat = parseStat((await readIfThere(`/proc/${pid}/stat`)) ?? '');
  return stat?.state === 'T';
}

async function pause({ clock, signal }: { clock: Clock; signal: AbortSignal }): Promise<void> {
  await clock.sleep(lookAgainMs, signal).catch(() => {});
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
