import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkPort } from '../api/dependencies.ts';
import { Questions } from '../api/questions.ts';
import { ApiServer } from '../api/server.ts';
import type { Clock } from '../core/kit/clock.ts';
import type { Log } from '../core/kit/log.ts';
import { Metrics } from '../core/kit/metrics.ts';
import { type Part, startAll, stopAll } from '../core/kit/part.ts';
import { defaultNetwork, type Network } from '../core/model/network.ts';
import { vipRangeOfCidr } from '../core/model/vip-address.ts';
import { Database } from '../core/state/database.ts';
import { EventBus } from '../core/state/event-bus.ts';
import { Presence } from '../core/state/presence.ts';
import { DirectoryPublisher } from '../core/state/publisher.ts';
import { SqliteStore } from '../core/state/stores/sqlite.ts';
import { assignLease } from '../overlay/assign.ts';
import { networkFaults } from '../overlay/network-faults.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import type { Address } from './compose-agent.ts';

export type MasterSettings = {
  readonly api: Address;
  readonly dataDir: string;
  /** IPv4 range that virtual addresses are taken from. */
  readonly vipRange: string;
  /** Of the network that every installation has. */
  readonly network: Pick<Network, 'cidr' | 'backend' | 'mtu'>;
  readonly drainLimitMs: number;
  readonly agentLostMs: number;
  /** Off only to prove that tests notice. */
  readonly waitForAcks: boolean;
};

export type ComposedMaster = Part & { readonly database: Database; readonly api: ApiServer };

/** The default network's VXLAN identifier and port. */
const defaultVxlan = { vni: 4096, port: 4789 };
const servicePorts = { begin: 10_000, end: 20_000 };

/** The control plane: state, scheduler, Directory and API. */
export async function composeMaster(
  settings: MasterSettings,
  { clock, log }: { clock: Clock; log: Log },
): Promise<ComposedMaster> {
  const folder = join(settings.dataDir, 'master');
  await mkdir(folder, { recursive: true });
  const uuid = () => randomUUID();
  const database = new Database(new SqliteStore({ folder }), log);
  const presence = new Presence();
  const publisher = new DirectoryPublisher(database);
  const events = new EventBus();
  const { drainLimitMs, agentLostMs, waitForAcks } = settings;
  const scheduler = new Scheduler(
    { database, presence, publisher, events, clock, log, uuid, random: Math.random },
    { limits: { drainLimitMs, agentLostMs, waitForAcks }, vipRange: vipRangeOfCidr(settings.vipRange) },
  );
  const networks = networkPort(settings);
  const api = new ApiServer(
    {
      database,
      presence,
      publisher,
      scheduler,
      networks,
      events,
      questions: new Questions(clock, uuid),
      clock,
      log,
      metrics: new Metrics(),
      uuid,
    },
    { host: settings.api.address, port: settings.api.port, servicePorts, frameworkId: 'weir-0000' },
  );
  const parts: Part[] = [database, firstNetwork(settings, database), publisher, scheduler, api];
  return { database, api, start: () => startAll(parts), stop: () => stopAll(parts) };
}

function networkPort(settings: MasterSettings): NetworkPort {
  const reserved = [{ cidr: settings.vipRange, what: 'the virtual addresses' }];
  return {
    assign: ({ networks, leases, agent, network }) => assignLease({ networks, leases }, agent, network),
    faults: (network, others) =>
      networkFaults(network, { others, reserved, backends: ['vxlan', 'host-gw', 'loopback'] }),
  };
}

/** Every installation has one network from its first start; a change of mode (root or not) replaces it while nobody uses it. */
function firstNetwork({ network }: MasterSettings, database: Database): Part {
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
