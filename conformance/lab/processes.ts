import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorCode } from '../../core/kit/errors.ts';
import { LabError, type LabHost, netnsPath } from './names.ts';

/** A process of a lab host, as it is remembered in the host's folder. */
export type ProcessRecord = {
  readonly name: string;
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat: with the pid it names one process for ever. */
  readonly startTime: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Standard output and standard error, appended. */
  readonly log: string;
};

export type StartOptions = {
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
};

/** Starts a process in the host's network namespace that outlives this one. @throws LabError when it cannot be started */
export async function startProcess(
  host: LabHost,
  name: string,
  argv: readonly string[],
  options: StartOptions = {},
): Promise<ProcessRecord> {
  const running = await readRecord(host, name);
  if (running !== undefined && (await isAlive(running)))
    throw new LabError('WEIR_LAB_PROCESS', `Cannot start ${name} on ${host.name}: it runs as ${running.pid}`);
  const log = join(host.dir, `${name}.log`);
  const { env = {}, cwd = process.cwd() } = options;
  const pid = await spawnDetached(['nsenter', `--net=${netnsPath(host.netns)}`, '--', ...argv], {
    env,
    cwd,
    log,
  });
  const startTime = await startTimeOf(pid);
  if (startTime === undefined)
    throw new LabError(
      'WEIR_LAB_PROCESS',
      `Cannot start ${name} on ${host.name}: it ended at once, see ${log}`,
    );
  const record = { name, pid, startTime, argv, env, cwd, log };
  await writeRecord(host, record);
  return record;
}

/** Sends a signal; for SIGKILL and SIGTERM resolves when the process is gone, or throws after `withinMs`. */
export async function endProcess(
  host: LabHost,
  record: ProcessRecord,
  { signal = 'SIGKILL', withinMs = 15_000 }: { signal?: NodeJS.Signals; withinMs?: number } = {},
): Promise<void> {
  if (!(await isAlive(record))) return;
  signalTo(record.pid, signal);
  if (signal !== 'SIGKILL' && signal !== 'SIGTERM') return;
  const gone = await becomes(async () => !(await isAlive(record)), withinMs);
  if (gone) return;
  const state = `it is still there ${withinMs} ms after ${signal}`;
  throw new LabError(
    'WEIR_LAB_PROCESS',
    `Cannot end ${record.name} (${record.pid}) on ${host.name}: ${state}`,
  );
}

export async function isAlive({
  pid,
  startTime,
}: Pick<ProcessRecord, 'pid' | 'startTime'>): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

/** Undefined when there is no such process, or only its exit status is left (a zombie). */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The command's name is in brackets and may hold anything; the state is the first field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** Asks again every few milliseconds; false when the bound passed without a yes. */
export async function becomes(isTrue: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  for (;;) {
    if (await isTrue()) return true;
    if (performance.now() > end) return false;
    await pause(10);
  }
}

export async function readRecords(host: LabHost): Promise<readonly ProcessRecord[]> {
  const names = await readdir(recordDir(host)).catch(() => []);
  const all = await Promise.all(
    names
      .filter((file) => file.endsWith('.json'))
      .map((file) => readRecord(host, file.slice(0, -'.json'.length))),
  );
  return all.filter((record) => record !== undefined);
}

export async function readRecord(host: LabHost, name: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(join(recordDir(host), `${name}.json`), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ProcessRecord);
}

async function writeRecord(host: LabHost, record: ProcessRecord): Promise<void> {
  mkdirSync(recordDir(host), { recursive: true });
  const path = join(recordDir(host), `${record.name}.json`);
  await writeFile(`${path}.tmp`, JSON.stringify(record));
  await rename(`${path}.tmp`, path);
}

function recordDir(host: LabHost): string {
  return join(host.dir, 'processes');
}

function spawnDetached(
  argv: readonly string[],
  { env, cwd, log }: { env: Readonly<Record<string, string>>; cwd: string; log: string },
): Promise<number> {
  const [file = '', ...args] = argv;
  const out = openSync(log, 'a');
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', out, out],
      cwd,
      env: { ...process.env, ...env },
    });
    closeSync(out);
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve(child.pid ?? -1);
    });
  });
}
