import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createLoopback } from './loopback.ts';

const share = {
  network: {
    name: 'weir',
    cidr: '127.64.0.0/10',
    agentPrefix: 24,
    backend: 'loopback',
    vni: 1,
    port: 4789,
    egress: 'none' as const,
  },
  lease: { network: 'weir', agentId: 'a', subnet: '127.64.0.0/24', agentAddress: '127.0.0.1', tunnelMac: '' },
};

function opened(dir: string) {
  const { attaching } = createLoopback({ dir });
  if (attaching.kind !== 'direct') throw new Error('loopback attaches directly');
  return attaching;
}

t.test('loopback gives addresses that a program can listen on at once, and remembers them', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'weir-loopback-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const key = { instanceId: 'web', ifName: 'eth0' };

  const address = await opened(dir).attach(share, key);
  t.equal(address, '127.64.0.2');
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  server.close();

  t.equal(await opened(dir).attach(share, key), address, 'after a restart too');
  await opened(dir).detach('weir', key);
  t.equal(
    await opened(dir).attach(share, { ...key, instanceId: 'next' }),
    '127.64.0.3',
    'the rest is remembered too',
  );
});
