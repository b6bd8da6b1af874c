import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { probe } from './dns-change.ts';
import type { Served } from './dns-servers.ts';

const seconds = 3;

/** How long questions wait, in ms each, while a server carries half of what it can: `perSecond` is what it can. */
export async function latencyAtHalfLoad(
  { port }: Served,
  { questions, perSecond }: { questions: string; perSecond: number },
): Promise<readonly number[]> {
  const where = ['-s', '127.0.0.1', '-p', String(port), '-d', questions, '-l', String(seconds)];
  const rate = ['-Q', String(Math.max(1, Math.floor(perSecond / 2)))];
  const load: ChildProcess = spawn('taskset', ['-c', '0', 'dnsperf', ...where, ...rate], { stdio: 'ignore' });
  return probe(port, async () => {
    await once(load, 'exit');
  });
}
