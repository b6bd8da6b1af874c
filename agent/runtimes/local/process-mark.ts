import { readFile } from 'node:fs/promises';
import { readIfThere } from './files.ts';

/** A process that cannot be mistaken for a later one of the same number. */
export type ProcessMark = {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly startTicks: number;
  readonly bootId: string;
};

/**
 * Two lines of shell text: /proc/sys/kernel/random/boot_id and the process's /proc/PID/stat as they were. Undefined when
 * it is not whole (yet).
 */
export function parseMark(text: string): ProcessMark | undefined {
  const [bootId = '', stat = '', end] = text.split('\n');
  const parsed = parseStat(stat);
  if (bootId === '' || end === undefined || parsed === undefined) return undefined;
  return { bootId, pid: parsed.pid, startTicks: parsed.startTicks };
}

export function formatMark(bootId: string, stat: string): string {
  return `${bootId.trim()}\n${stat.trim()}\n`;
}

export async function readMark(path: string): Promise<ProcessMark | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : parseMark(text);
}

/** True while exactly this process runs; a zombie does not. */
export async function isAlive(mark: ProcessMark): Promise<boolean> {
  const text = await readIfThere(`/proc/${mark.pid}/stat`);
  const stat = text === undefined ? undefined : parseStat(text);
  if (stat === undefined || stat.startTicks !== mark.startTicks || 'ZX'.includes(stat.state)) return false;
  return mark.bootId === (await bootId());
}

export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Sends a signal if exactly this process is still there; with `group` to the group it leads as well. */
export async function signalProcess(
  mark: ProcessMark,
  signal: NodeJS.Signals,
  options: { group?: boolean } = {},
): Promise<void> {
  if (!(await isAlive(mark))) return;
  // The process itself too: it may not lead its group yet.
  for (const pid of options.group ? [-mark.pid, mark.pid] : [mark.pid]) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended between the look and the signal.
    }
  }
}

type Stat = {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly startTicks: number;
};

/** proc_pid_stat(5). The command name is in parentheses and may itself hold spaces and parentheses. */
export function parseStat(line: string): Stat | undefined {
  const close = line.lastIndexOf(')');
  const pid = Number.parseInt(line, 10);
  const fields = line.slice(close + 2).split(' ');
  const startTicks = Number(fields[19]);
  if (close < 0 || !(pid > 0) || !(startTicks >= 0)) return undefined;
  return { pid, state: fields[0]!, parent: Number(fields[1]), startTicks };
}
