import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

export type TestServer = {
  readonly url: string;
  /** SIGKILL, then up again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

const binary = '/usr/bin/redis-server';

/** Why there is no server to test with, or false. */
export const noRedis: string | false = existsSync(binary)
  ? false
  : 'needs redis-server (package redis-server)';

/** A Redis of the test's own: own port on the loopback, own folder, flushed at every write, ended by its process id. */
export async function startRedis(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-redis-'));
  const port = await freePort();
  let child = await launch(port, folder);
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    url: `redis://127.0.0.1:${port}/0`,
    restart: async () => {
      await end();
      child = await launch(port, folder);
    },
    stop: async () => {
      await end();
      rmSync(folder, { recursive: true });
    },
  };
}

async function launch(port: number, folder: string) {
  const settings = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', ''];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const child = spawn(binary, [...settings, ...durable], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    if (line.includes('Ready to accept connections')) break;
  }
  child.stdout.resume();
  return child;
}
