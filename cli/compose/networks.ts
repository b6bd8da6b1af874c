import type { NetworkPort } from '../../api/dependencies.ts';
import type { Part } from '../../core/kit/part.ts';
import { defaultNetwork, type Network } from '../../core/model/network.ts';
import type { Database } from '../../core/state/database.ts';
import { assignLease } from '../../overlay/assign.ts';
import { networkFaults } from '../../overlay/network-faults.ts';
import type { MasterSettings } from './master-settings.ts';

/** The default network's VXLAN identifier and port. */
const defaultVxlan = { vni: 4096, port: 4789 };

/** What the API asks of the networks: leases, and what is wrong with a definition. */
export function networkPort(settings: MasterSettings): NetworkPort {
  const reserved = [{ cidr: settings.vipRange, what: 'the virtual addresses' }];
  return {
    assign: ({ networks, leases, agent, network }) => assignLease({ networks, leases }, agent, network),
    faults: (network, others) =>
      networkFaults(network, { others, reserved, backends: ['vxlan', 'host-gw', 'loopback'] }),
  };
}

/** Every installation has one network from its first start; a change of mode (root or not) replaces it while nobody uses it. */
export function firstNetwork({ network }: MasterSettings, database: Database): Part {
  return {
    async start() {
      const known = database.snapshot.table('networks').get(defaultNetwork);
      const wanted: Network = {
        name: defaultNetwork,
        agentPrefix: 24,
        egress: 'none',
        ...defaultVxlan,
        ...network,
      };
      if (known?.backend === wanted.backend && known.cidr === wanted.cidr) return;
      const leases = [...database.snapshot.table('leases')].filter(
        ([, lease]) => lease.network === defaultNetwork,
      );
      await database.commit([
        { kind: 'put', table: 'networks', key: defaultNetwork, value: wanted },
        ...leases.map(([key]) => ({ kind: 'delete' as const, table: 'leases' as const, key })),
      ]);
    },
    async stop() {},
  };
}
