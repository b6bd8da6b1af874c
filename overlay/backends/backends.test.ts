import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { contains, parseCidr4 } from '../../core/kit/ip.ts';
import type { Network } from '../../core/model/network.ts';
import { type BackendUnderTest, networkBackendContract } from '../backend.contract.ts';
import type { NetworkBackend } from '../backend.ts';
import { routeProtocol } from '../kernel.ts';
import { observe } from '../observe.ts';
import { openHosts } from '../testing/hosts.ts';
import { createFakeBackend } from './fake.ts';
import { createHostGw } from './host-gw.ts';
import { createLoopback } from './loopback.ts';
import type { RoutedOptions } from './routed.ts';
import { createVxlan } from './vxlan.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('the fake', async (t) => {
  networkBackendContract(t, async () => {
    const backend = createFakeBackend();
    const reaches = async ({ name }: Network) => backend.peersOf(name) ?? [];
    return { backend, agentAddress: '100.127.0.1', cidr: '100.64.0.0/16', reaches, close: async () => {} };
  });
});

t.test('loopback', async (t) => {
  networkBackendContract(t, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'weir-loopback-'));
    const close = async () => rmSync(dir, { recursive: true });
    return { backend: createLoopback({ dir }), agentAddress: '127.0.0.1', cidr: '127.64.0.0/10', close };
  });
});

t.test('vxlan', { skip }, async (t) => networkBackendContract(t, () => onHost(createVxlan)));
t.test('host-gw', { skip }, async (t) => networkBackendContract(t, () => onHost(createHostGw)));

async function onHost(create: (options: RoutedOptions) => NetworkBackend): Promise<BackendUnderTest> {
  const { hosts, close } = await openHosts(1);
  const [host] = hosts;
  if (host === undefined) throw new Error('no host');
  return {
    backend: create({ tools: host.tools, ipamDir: join(host.dir, 'ipam') }),
    agentAddress: host.address,
    cidr: '100.64.0.0/16',
    async reaches({ cidr }) {
      const { routes } = await observe(host.tools);
      return routes
        .filter(({ kind, protocol }) => kind === 'unicast' && protocol === routeProtocol)
        .filter(({ to }) => contains(parseCidr4(cidr), parseCidr4(to).base))
        .map(({ to }) => to);
    },
    close,
  };
}
