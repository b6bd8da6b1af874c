import { randomUUID } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { atMostAtOnce } from '../../api/concurrency.ts';
import { authenticated } from '../../api/credentials.ts';
import type { ApiDependencies, ApiOptions } from '../../api/dependencies.ts';
import { Door, type Guard } from '../../api/door.ts';
import { Questions } from '../../api/questions.ts';
import { ApiServer } from '../../api/server.ts';
import { standby } from '../../api/standby.ts';
import type { Clock } from '../../core/kit/clock.ts';
import { errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import { LogLevels } from '../../core/kit/log-levels.ts';
import { Metrics } from '../../core/kit/metrics.ts';
import { type Part, startAll, stopAll } from '../../core/kit/part.ts';
import { vipRangeOfCidr } from '../../core/model/vip-address.ts';
import { Database } from '../../core/state/database.ts';
import { EventBus } from '../../core/state/event-bus.ts';
import { Presence } from '../../core/state/presence.ts';
import { DirectoryPublisher } from '../../core/state/publisher.ts';
import type { Store } from '../../core/state/store.ts';
import { nameStore } from '../../core/state/store-id.ts';
import { SqliteStore } from '../../core/state/stores/sqlite.ts';
import { Scheduler } from '../../scheduler/scheduler.ts';
import { issuing } from './issuing.ts';
import { JoinSecret } from './join-secret.ts';
import { leaderIn, leadership, leading, newLeader, reachable } from './leadership.ts';
import { knownAt, type MasterSettings } from './master-settings.ts';
import { firstNetwork, networkPort } from './networks.ts';
import { Tenure } from './tenure.ts';

export type ComposedMaster = Part & {
  readonly database: Database;
  readonly api: ApiServer;
  /** What an edge in this process proves itself with; undefined: it does not lead yet. */
  joinSecret(): string | undefined;
};

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

/** Who may ask comes before how many may. */
function guardsOf({ authentication, mostRequests }: MasterSettings): readonly Guard[] {
  return [
    ...(authentication === undefined ? [] : [authenticated(authentication)]),
    ...(mostRequests === undefined ? [] : [atMostAtOnce(mostRequests)]),
  ];
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

function namedStore({ store }: Database, made: string): Part {
  return { start: () => nameStore(store, made), async stop() {} };
}
