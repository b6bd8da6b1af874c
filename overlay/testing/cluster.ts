import { join } from 'node:path';
import { createCni } from '../../cni/cni.ts';
import { createProcessExec } from '../../cni/process-exec.ts';
import { systemClock } from '../../core/kit/clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import type { Lease, Network } from '../../core/model/network.ts';
import { assignLease } from '../assign.ts';
import { createHostGw } from '../backends/host-gw.ts';
import { createVxlan } from '../backends/vxlan.ts';
import { createOverlayHost, ipamDirOf, type OverlayHost } from '../host.ts';
import { openHosts, type TestHost, type TestHosts } from './hosts.ts';

/** Agents' overlay hosts on test hosts, and a master's part of it in a variable. */
export type TestCluster = TestHosts & {
  readonly overlays: readonly OverlayHost[];
  leases(): readonly Lease[];
  /** Gives every host what the cluster wants now; hosts ask for their leases by themselves, in any order. */
  publish(networks: readonly Network[], leases?: readonly Lease[]): void;
  /** Another process of the same agent, which no master answers. */
  again(host: TestHost): OverlayHost;
};

export async function openCluster(count: number): Promise<TestCluster> {
  const underlay = await openHosts(count);
  let networks: readonly Network[] = [];
  let leases: readonly Lease[] = [];

  async function leaseOf({ name, address }: TestHost, network: string): Promise<Lease> {
    const lease = assignLease({ networks, leases }, { id: name, address }, network);
    const isNew = !leases.some(({ agentId, ...other }) => agentId === name && other.network === network);
    if (isNew) leases = [...leases, lease];
    if (isNew) publishAll();
    return lease;
  }

  function publishAll(): void {
    for (const overlay of overlays) overlay.update(networks, leases);
  }

  const overlays = underlay.hosts.map((host) => overlayOf(host, (network) => leaseOf(host, network)));
  for (const overlay of overlays) await overlay.start();

  return {
    ...underlay,
    overlays,
    leases: () => leases,
    publish(nextNetworks, nextLeases = leases) {
      networks = nextNetworks;
      leases = nextLeases;
      publishAll();
    },
    again: (host) => overlayOf(host, () => Promise.reject(new Error('no master answers'))),
    async close() {
      for (const overlay of overlays) await overlay.stop();
      await underlay.close();
    },
  };
}

function overlayOf(host: TestHost, leaseOf: (network: string) => Promise<Lease>): OverlayHost {
  const ipamDir = ipamDirOf(host.dir);
  return createOverlayHost({
    agentId: host.name,
    agentAddress: host.address,
    backends: [createVxlan({ tools: host.tools, ipamDir }), createHostGw({ tools: host.tools, ipamDir })],
    cni: createCni({
      pluginDirs: ['/usr/lib/cni'],
      cacheDir: join(host.dir, 'cni'),
      exec: createProcessExec({ env: process.env, prefix: host.prefix }),
      log: silentLog,
    }),
    dataDir: host.dir,
    leaseOf,
    clock: systemClock,
    log: silentLog,
    driftMs: 200,
  });
}
