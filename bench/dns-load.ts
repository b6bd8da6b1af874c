import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const clientCore = '0';
/** USER_HZ, the unit of /proc/PID/stat, on every Linux Node runs on. */
const ticksPerSecond = 100;

export type Load = {
  readonly pid: number;
  readonly port: number;
  readonly questions: string;
  readonly seconds: number;
};

export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
}

/** All threads of a process to these cores; one that ends meanwhile needs none. */
export function setAffinity(pid: number, cores: string): void {
  spawnSync('taskset', ['-a', '-p', '-c', cores, String(pid)]);
}

/** Asks as fast as the answers come. Throws when one is missing or not NOERROR. */
export function run({ pid, port, questions, seconds }: Load): { microseconds: number; perSecond: number } {
  const before = cpuSeconds(pid);
  const where = ['-s', '127.0.0.1', '-p', String(port), '-d', questions];
  const out = must('taskset', ['-c', clientCore, 'dnsperf', ...where, '-l', String(seconds)]);
  const used = cpuSeconds(pid) - before;
  const completed = number(out, /Queries completed:\s+(\d+)/);
  const good = number(out, /NOERROR (\d+)/);
  const sent = number(out, /Queries sent:\s+(\d+)/);
  if (good !== completed || sent !== completed) throw new Error(`not every query was answered:\n${out}`);
  return { microseconds: (used * 1e6) / completed, perSecond: number(out, /Queries per second:\s+([\d.]+)/) };
}

/** In user and kernel mode, all threads together. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function number(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1]);
}

function must(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
