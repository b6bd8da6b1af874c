import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import t from 'tap';
import { type Host, openHost } from './host.ts';
import { standbys } from './masters.ts';
import { deployUnderKills } from './under-kills.ts';

const binary = '/usr/bin/redis-server';
const skip = process.getuid?.() !== 0 ? 'needs root' : existsSync(binary) ? false : 'needs redis-server';
// On a busy machine.
t.setTimeout(300_000);

t.test(
  'checklist 20: a leader lost in mid-deployment: another one goes on with it, without an instance too many',
  { skip },
  async (t) => {
    const host = await openHost(t, 'leader');
    const masters = await standbys(host, await startRedis(host));
    await deployUnderKills(t, host, { masters, kills: 3 });
  },
);

/** In the host's namespace, and ended with it. */
async function startRedis(host: Host): Promise<string> {
  const settings = ['--bind', '127.0.0.1', '--dir', host.dir, '--save', '', '--appendonly', 'yes'];
  const [file, ...args] = host.inside([binary, ...settings, '--appendfsync', 'always']);
  const server = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const chunk of server.stdout) if (String(chunk).includes('Ready to accept connections')) break;
  server.unref();
  return 'redis://127.0.0.1:6379/0';
}
