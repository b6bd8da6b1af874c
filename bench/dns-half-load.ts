import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { probe } from './dns-change.ts';
import { setAffinity } from './dns-load.ts';
import type { Served } from './dns-servers.ts';

const seconds = 3;

/**
 * How long questions wait, in ms each, while a server carries half of what it can: `perSecond` is what it can. Who asks goes before
 * the load, on the core of the load: what is measured is the server, not whether this machine has room for a third program.
 */
export async function latencyAtHalfLoad(
  { port }: Served,
  { questions, perSecond }: { questions: string; perSecond: number },
): Promise<readonly number[]> {
  const where = ['-s', '127.0.0.1', '-p', String(port), '-d', questions, '-l', String(seconds)];
  const rate = ['-Q', String(Math.max(1, Math.floor(perSecond / 2)))];
  setAffinity(process.pid, '0');
  try {
    return await probe(port, async () => {
      const load = spawn('nice', ['-n', '10', 'dnsperf', ...where, ...rate], { stdio: 'ignore' });
      await once(load, 'exit');
    });
  } finally {
    setAffinity(process.pid, '0-1');
  }
}
