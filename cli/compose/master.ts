import { randomUUID } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { atMostAtOnce } from '../../api/concurrency.ts';
import { authenticated, type BasicAuthentication } from '../../api/credentials.ts';
import type { ApiDependencies, ApiOptions, NetworkPort } from '../../api/dependencies.ts';
import { Door, type Guard } from '../../api/door.ts';
import { Questions } from '../../api/questions.ts';
import { ApiServer } from '../../api/server.ts';
import { standby } from '../../api/standby.ts';
import type { Clock } from '../../core/kit/clock.ts';
import { errorText } from '../../core/kit/errors.ts';
import type { Log, LogThreshold } from '../../core/kit/log.ts';
import { LogLevels } from '../../core/kit/log-levels.ts';
import { Metrics } from '../../core/kit/metrics.ts';
import { type Part, startAll, stopAll } from '../../core/kit/part.ts';
import { defaultNetwork, type Network } from '../../core/model/network.ts';
import { vipRangeOfCidr } from '../../core/model/vip-address.ts';
import { Database } from '../../core/state/database.ts';
import { EventBus } from '../../core/state/event-bus.ts';
import type { LabelSettings } from '../../core/state/label-settings.ts';
import { Presence } from '../../core/state/presence.ts';
import { DirectoryPublisher } from '../../core/state/publisher.ts';
import type { Lock, Store } from '../../core/state/store.ts';
import { nameStore } from '../../core/state/store-id.ts';
import { SqliteStore } from '../../core/state/stores/sqlite.ts';
import { assignLease } from '../../overlay/assign.ts';
import { networkFaults } from '../../overlay/network-faults.ts';
import type { PlacementRules } from '../../scheduler/placement-rules.ts';
import { Scheduler } from '../../scheduler/scheduler.ts';
import type { Address } from './agent-settings.ts';
import { issuing } from './issuing.ts';
import { JoinSecret } from './join-secret.ts';
import { Tenure } from './tenure.ts';

export type MasterSettings = {
  readonly api: Address;
  /** Where the other masters and clients reach the API; absent: at the address it listens on. */
  readonly advertise?: Address;
  /** Absent: the API is open to everyone who reaches it. */
  readonly authentication?: BasicAuthentication;
  /** What edges prove themselves with; absent: that of the store. */
  readonly joinSecret?: string;
  /** Requests at once; absent: any number. */
  readonly mostRequests?: number;
  readonly dataDir: string;
  /** `redis://…` or `consul://HOST:PORT`, shared by masters of which one leads; absent: SQLite in the data folder. */
  readonly store?: string;
  /** Another master leads from now on, or may: this process must not write any more. */
  readonly onLeadershipLost: () => void;
  /** IPv4 range that virtual addresses are taken from. */
  readonly vipRange: string;
  readonly vipRange6?: string;
  /** Of the network that every installation has. */
  readonly network: Pick<Network, 'cidr' | 'backend' | 'mtu'>;
  readonly drainLimitMs: number;
  readonly agentLostMs: number;
  /** Shared with the log, so that it can be changed at run time. */
  readonly logThreshold: LogThreshold;
  /** Origins whose pages may read the API. */
  readonly allowOrigins: readonly string[];
  /** So many deployments may be on their way at once. */
  readonly mostDeployments: number;
  readonly launchTimeoutMs: number;
  readonly placement: PlacementRules;
  readonly labels: LabelSettings;
  /** Off only to prove that tests notice. */
  readonly waitForAcks: boolean;
};

export type ComposedMaster = Part & {
  readonly database: Database;
  readonly api: ApiServer;
  /** What an edge in this process proves itself with; undefined: it does not lead yet. */
  joinSecret(): string | undefined;
};

/** The default network's VXLAN identifier and port. */
const defaultVxlan = { vni: 4096, port: 4789 };
/** Masters that wait ask for leadership several times in this long. */
const takeOverMs = 2_000;
const servicePorts = { begin: 10_000, end: 20_000 };

/** The control plane: state, scheduler, Directory and API. */
export async function composeMaster(
  settings: MasterSettings,
  { clock, log }: { clock: Clock; log: Log },
): Promise<ComposedMaster> {
  const folder = join(settings.dataDir, 'master');
  await mkdir(folder, { recursive: true });
  // Keys of certificates are in the tables.
  await chmod(folder, 0o700);
  const uuid = () => randomUUID();
  const database = new Database(await storeOf(settings.store, { folder, clock, log }), log);
  const presence = new Presence(settings.agentLostMs);
  const publisher = new DirectoryPublisher(database, {
    leader: reachable(knownAt(settings).address),
    labels: settings.labels,
    drainLimitMs: settings.drainLimitMs,
  });
  const events = new EventBus();
  const { drainLimitMs, agentLostMs, launchTimeoutMs, placement, waitForAcks, mostDeployments } = settings;
  const scheduler = new Scheduler(
    { database, presence, publisher, events, clock, log, uuid, random: Math.random },
    {
      limits: { drainLimitMs, agentLostMs, launchTimeoutMs, placement, waitForAcks },
      vipRange: vipRangeOfCidr(settings.vipRange),
      ...(settings.vipRange6 === undefined ? {} : { vipRange6: vipRangeOfCidr(settings.vipRange6) }),
      mostDeployments,
    },
  );
  const dependencies: ApiDependencies = {
    database,
    presence,
    publisher,
    scheduler,
    networks: networkPort(settings),
    events,
    questions: new Questions(clock, uuid),
    clock,
    log,
    metrics: new Metrics(),
    logLevels: new LogLevels(settings.logThreshold, clock),
    abdicate: () => tenure.abdicate(),
    uuid,
  };
  const { address: host, port } = knownAt(settings);
  const joinSecret = new JoinSecret(settings, database, folder);
  const options: ApiOptions = {
    host,
    port,
    servicePorts,
    frameworkId: 'weir-0000',
    isShared: settings.store !== undefined,
    allowOrigins: settings.allowOrigins,
    joinSecret: () => joinSecret.wanted,
  };
  const door: Door = new Door(
    { host: settings.api.address, port: settings.api.port, guards: guardsOf(settings) },
    standby(
      { self: `${host}:${port}`, leader: () => leaderIn(database.store), leading: () => door.leading },
      { dependencies, options },
    ),
  );
  const api = new ApiServer(dependencies, options, door);
  const whileLeading: Part[] = [
    leadership(settings, { database, log, owner: uuid() }),
    namedStore(database, uuid()),
    joinSecret,
    newLeader(settings, database),
    firstNetwork(settings, database),
    publisher,
    scheduler,
    api,
    issuing({ database, presence, publisher, clock, log }),
    leading(`${host}:${port}`, { database, log, api }),
  ];
  const waits = settings.store !== undefined;
  const tenure = new Tenure(whileLeading, { clock, log, restMs: waits ? takeOverMs : 0, waits });
  const parts: Part[] = [database, waits ? listeningIfPossible(door, log) : door, tenure];
  return {
    ...{ database, api, joinSecret: () => joinSecret.value },
    start: () => startAll(parts),
    stop: () => stopAll(parts),
  };
}

/** An address may move with leadership: then another master has it still, and whoever leads must get it. */
function listeningIfPossible(door: Door, log: Log): Part {
  return {
    start: () =>
      door.start().catch((error: unknown) => {
        log.warn('does not listen before it leads', { error: errorText(error) });
      }),
    stop: () => door.stop(),
  };
}

/** Who may ask comes before how many may. */
function guardsOf({ authentication, mostRequests }: MasterSettings): readonly Guard[] {
  return [
    ...(authentication === undefined ? [] : [authenticated(authentication)]),
    ...(mostRequests === undefined ? [] : [atMostAtOnce(mostRequests)]),
  ];
}

/** The address others know this master by. */
function knownAt({ api, advertise }: MasterSettings): Address {
  return advertise ?? api;
}

async function storeOf(
  url: string | undefined,
  { folder, clock, log }: { folder: string; clock: Clock; log: Log },
): Promise<Store> {
  if (url === undefined) return new SqliteStore({ folder });
  const warn = (message: string) => log.warn(message);
  if (url.startsWith('consul:')) {
    const { ConsulStore } = await import('../../core/state/stores/consul.ts');
    return new ConsulStore({ url: url.replace(/^consul:/, 'http:'), clock });
  }
  const { RedisStore } = await import('../../core/state/stores/redis.ts');
  return new RedisStore({ url, clock, warn });
}

/** Of several masters on one store one serves; the others wait here, with a copy of the state that is up to date. */
function leadership(
  { onLeadershipLost }: MasterSettings,
  { database, log, owner }: { database: Database; log: Log; owner: string },
): Part {
  let stopping = new AbortController();
  let lock: Lock | undefined;
  return {
    async start() {
      stopping = new AbortController();
      const { signal } = stopping;
      log.info('waiting for leadership');
      lock = await database.store.lock('master', owner, signal);
      database.fencedBy({ lock: 'master', fence: lock.fence });
      log.info('leading', { fence: lock.fence });
      lock.lost.addEventListener('abort', () => {
        if (!signal.aborted) onLeadershipLost();
      });
    },
    async stop() {
      stopping.abort();
      await lock?.release();
      lock = undefined;
    },
  };
}

function namedStore({ store }: Database, made: string): Part {
  return { start: () => nameStore(store, made), async stop() {} };
}

/** Where masters that wait find the one that serves; the last of what a leader does, so that it is ready when it is found. */
function leading(
  self: string,
  { database, log, api }: { database: Database; log: Log; api: ApiServer },
): Part {
  return {
    async start() {
      await database.commit([{ kind: 'put', ...leaderRecord, value: self }]);
      log.info('master serves', { api: api.url });
    },
    // A master that was killed leaves it there: it leads to nobody, or to one that waits.
    async stop() {
      if ((await leaderIn(database.store).catch(() => undefined)) !== self) return;
      await database.commit([{ kind: 'delete', ...leaderRecord }]).catch((error: unknown) => {
        log.warn('the record of who leads stays', { error: errorText(error) });
      });
    },
  };
}

const leaderRecord = { table: 'meta', key: 'leading' } as const;

async function leaderIn(store: Store): Promise<string | undefined> {
  const record = await store.get(leaderRecord.table, leaderRecord.key);
  return typeof record?.value === 'string' ? record.value : undefined;
}

/** The address that other machines know this one by; undefined when the API's does not tell. */
function reachable(address: string): string | undefined {
  return address === '0.0.0.0' || address.startsWith('127.') ? undefined : address;
}

/**
 * The Directory says who leads, and agents that hold a revision are not given it again: another leader must be another
 * revision.
 */
function newLeader(settings: MasterSettings, database: Database): Part {
  const [table, key] = ['meta', 'leader'] as const;
  const { address } = knownAt(settings);
  return {
    async start() {
      const before = await database.store.get(table, key);
      if (reachable(address) === undefined || before?.value === address) return;
      await database.commit([{ kind: 'put', table, key, value: address }]);
    },
    async stop() {},
  };
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
