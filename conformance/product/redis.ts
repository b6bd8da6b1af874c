import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Host } from './host.ts';

const binary = '/usr/bin/redis-server';

/** Why a test with several masters cannot be run here; false: it can. */
export function withoutRedis(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync(binary) ? false : 'needs redis-server';
}

/** In the host's namespace, and ended with it. */
export async function startRedis(host: Host): Promise<string> {
  const settings = ['--bind', '127.0.0.1', '--dir', host.dir, '--save', '', '--appendonly', 'yes'];
  const [file, ...args] = host.inside([binary, ...settings, '--appendfsync', 'always']);
  const server = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const chunk of server.stdout) if (String(chunk).includes('Ready to accept connections')) break;
  server.unref();
  return 'redis://127.0.0.1:6379/0';
}
