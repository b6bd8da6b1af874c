import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

export type TestServer = { readonly url: string; stop(): Promise<void> };

const binary = process.env['WEIR_TEST_CONSUL'] ?? '';

/** Why there is no server to test with, or false. */
export const noConsul: string | false = existsSync(binary)
  ? false
  : 'needs a Consul binary (WEIR_TEST_CONSUL=$(scripts/consul-for-tests))';

/** One Consul server of the test's own: own ports on the loopback, own folder, ended by its process id. */
export async function startConsul(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-consul-'));
  const http = await freePort();
  const ports = {
    http,
    dns: -1,
    grpc: -1,
    serf_wan: -1,
    serf_lan: await freePort(),
    server: await freePort(),
  };
  const settings = {
    bind_addr: '127.0.0.1',
    // It would ask its maker for news otherwise: tests speak to nobody outside.
    disable_update_check: true,
    client_addr: '127.0.0.1',
    server: true,
    bootstrap_expect: 1,
    ports,
  };
  writeFileSync(join(folder, 'weir.json'), JSON.stringify({ ...settings, data_dir: join(folder, 'data') }));
  const child = spawn(binary, ['agent', '-config-file', join(folder, 'weir.json')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('Synced node info') || line.includes('member joined, marking health alive')) break;
  }
  child.stdout.resume();
  return {
    url: `http://127.0.0.1:${http}`,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
