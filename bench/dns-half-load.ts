import { spawnSync } from 'node:child_process';
import { clientCore } from './dns-load.ts';
import type { Served } from './dns-servers.ts';

const seconds = 3;
const mostOutput = 256 << 20;

export type HalfLoad = {
  /** One question a line. */
  readonly questions: string;
  /** What the server can carry. */
  readonly perSecond: number;
};

/**
 * How long questions wait, in ms each, while a server carries half of what it can: as the load itself sees every one of them, on a core
 * of its own. Another program that asks beside it would measure how long it waits for that core.
 */
export function latencyAtHalfLoad({ port }: Served, { questions, perSecond }: HalfLoad): readonly number[] {
  const rate = String(Math.max(1, Math.floor(perSecond / 2)));
  const where = ['-s', '127.0.0.1', '-p', String(port), '-d', questions];
  const load = ['dnsperf', ...where, '-l', String(seconds), '-Q', rate, '-v'];
  const { stdout } = spawnSync('taskset', ['-c', clientCore, ...load], {
    encoding: 'latin1',
    maxBuffer: mostOutput,
  });
  // > NOERROR app-1.bench.weir A 0.000071
  return [...stdout.matchAll(/^> \S+ .* ([\d.]+)$/gm)].map(([, time]) => Number(time) * 1_000);
}
