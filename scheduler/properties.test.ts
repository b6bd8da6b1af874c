import fc from 'fast-check';
import t from 'tap';
import type { App } from '../core/model/app.ts';
import type { AppId } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import { DirectoryBuilder } from '../core/state/directory.ts';
import type { Replica } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';
import { versionKey } from '../core/state/tables.ts';
import { decide } from './decide.ts';
import type { Cluster } from './testing/cluster.ts';
import { appIds, history, hosts, newCluster, settle } from './testing/history.ts';
import { capacityBounds } from './upgrade.ts';
import { isOver, membersOf } from './view.ts';
import { partsOf, wantOf } from './want.ts';

const runs = { numRuns: Number(process.env.WEIR_RUNS ?? 100) };

t.test('agents are never overcommitted, and no two instances on one share a host port', async () => {
  check((cluster) => {
    for (const name of hosts) assertFits(cluster.replica, name);
  });
});

t.test(
  'a decision is the same for the same world, and nothing is left to decide after the last',
  async (t) => {
    fc.assert(
      fc.property(history, (acts) => {
        const cluster = newCluster();
        for (const act of acts) {
          act(cluster);
          const [first, second] = [decide(cluster.world()), decide(cluster.world())];
          if (JSON.stringify(first) !== JSON.stringify(second)) return false;
          settle(cluster);
          if (decide(cluster.world()).wakeAt <= cluster.now) return false;
        }
        return true;
      }),
      runs,
    );
    t.end();
  },
);

t.test(
  'neither replacing nor moving goes below the healthy minimum or above the capacity by its own acts',
  async () => {
    fc.assert(
      fc.property(history, (acts) => {
        const faults: string[] = [];
        const cluster = newCluster();
        for (const act of acts) {
          act(cluster);
          for (let round = 0; round < 60; round++) {
            const before = countsByApp(cluster);
            if (cluster.round().writes.length === 0) break;
            faults.push(...boundFaults(before, countsByApp(cluster)));
          }
        }
        if (faults.length > 0) throw new Error(faults.join('\n'));
      }),
      runs,
    );
  },
);

t.test('a draining instance is stopped only when everybody let go of it or its time is over', async () => {
  fc.assert(
    fc.property(history, (acts) => {
      const faults: string[] = [];
      let cluster = newCluster();
      cluster = newCluster((writes) => faults.push(...drainFaults(cluster, writes)));
      for (const act of acts) {
        act(cluster);
        settle(cluster);
      }
      if (faults.length > 0) throw new Error(faults.join('\n'));
    }),
    runs,
  );
});

t.test('every deployment ends when agents cooperate and there is room', async () => {
  fc.assert(
    fc.property(history, (acts) => {
      const cluster = newCluster(undefined, 32);
      for (const act of acts) act(cluster);
      for (const name of hosts) {
        cluster.connect(name);
        cluster.refill(name);
      }
      for (let turn = 0; turn < 200 && !isAtRest(cluster); turn++) {
        cluster.cooperate();
        cluster.advance(10_000);
      }
      const left = cluster.replica.table('deployments').size;
      if (left > 0)
        throw new Error(`${left} deployments left: ${JSON.stringify([...decide(cluster.world()).waiting])}`);
      for (const id of appIds) assertAsWanted(cluster, id);
    }),
    runs,
  );
});

t.test('the Directory kept by changes is the one built from nothing', async () => {
  check((cluster) => {
    const { revision: _, ...kept } = cluster.directory.directory;
    const { revision: __, ...built } = new DirectoryBuilder().rebuild(cluster.replica);
    if (text(kept) !== text(built)) throw new Error(`${text(kept)}\n${text(built)}`);
  });
});

t.test('nothing is kept of what is gone: reports, versions, delays', async () => {
  check((cluster) => {
    settle(cluster);
    const { replica } = cluster;
    for (const id of replica.table('instances').keys())
      if (!replica.table('placements').has(id)) throw new Error(`report of ${id} is kept`);
    for (const { id } of replica.table('versions').values())
      if (!replica.table('apps').has(id) && replica.placementsOf(id).length === 0)
        throw new Error(`a version of ${id} is kept`);
    for (const id of replica.table('backoffs').keys())
      if (!replica.table('apps').has(id)) throw new Error(`the delay of ${id} is kept`);
  });
});

/** Runs histories and looks at the cluster after every act and every round. */
function check(invariant: (cluster: Cluster) => void): void {
  fc.assert(
    fc.property(history, (acts) => {
      const cluster = newCluster();
      for (const act of acts) {
        act(cluster);
        invariant(cluster);
        cluster.round();
        invariant(cluster);
      }
    }),
    runs,
  );
}

function assertFits(replica: Replica, name: string): void {
  const agent = replica.table('agents').get(name)!;
  const live = replica
    .placementsOn(name)
    .filter(({ instanceId }) => replica.table('instances').get(instanceId)?.state.kind !== 'ended');
  const cpus = live.reduce((sum, { appId, appVersion }) => {
    return sum + replica.table('versions').get(versionKey(appId, appVersion))!.cpus;
  }, 0);
  if (cpus > agent.resources.cpus + 1e-6) throw new Error(`${name} carries ${cpus} cpus`);
  const ports = live.flatMap((placement) => placement.hostPorts.filter((port) => port !== null));
  if (new Set(ports).size < ports.length) throw new Error(`${name} has a port twice: ${ports}`);
}

type Counts = {
  readonly app: App | undefined;
  readonly replacing: boolean;
  readonly ready: number;
  readonly active: number;
};

function countsByApp(cluster: Cluster): ReadonlyMap<AppId, Counts> {
  const world = cluster.world();
  return new Map(
    appIds.map((id) => {
      const want = wantOf(cluster.replica.table('apps').get(id), id, partsOf(cluster.replica).get(id));
      const members = membersOf(world, id).filter(
        ({ reach }) => reach === 'present' || reach === 'unreachable',
      );
      return [
        id,
        {
          app: want?.app,
          replacing: want?.replace ?? false,
          ready: members.filter((member) => member.ready && member.placement.goal === 'run').length,
          active: members.length,
        },
      ];
    }),
  );
}

function boundFaults(
  before: ReadonlyMap<AppId, Counts>,
  after: ReadonlyMap<AppId, Counts>,
): readonly string[] {
  return [...before].flatMap(([id, was]) => {
    const is = after.get(id)!;
    if (was.app === undefined) return [];
    if (!was.replacing) return movingFaults(id, was, is);
    const bounds = capacityBounds(was.app.instances, was.ready, was.app.upgradeStrategy);
    const least = Math.min(was.ready, bounds.minHealthy);
    const most = Math.max(was.active, bounds.maxCapacity);
    return [
      ...(is.ready < least ? [`${id}: ${is.ready} ready, ${least} is the least`] : []),
      ...(is.active > most ? [`${id}: ${is.active} active, ${most} is the most`] : []),
    ];
  });
}

/** Moving off an agent takes nothing from what is wanted; balance over groups may cost one that serves. */
function movingFaults(id: AppId, was: Counts, is: Counts): readonly string[] {
  const { instances, constraints } = was.app!;
  if (constraints.some(({ operator }) => operator === 'GROUP_BY')) return [];
  const least = Math.min(was.ready, instances);
  return is.ready < least ? [`${id}: ${is.ready} ready, ${least} is the least`] : [];
}

function drainFaults(cluster: Cluster, writes: readonly Write[]): readonly string[] {
  return writes.flatMap((write) => {
    if (write.table !== 'placements' || write.kind !== 'put') return [];
    const before = cluster.replica.table('placements').get(write.key);
    const world = cluster.world();
    const stops = before?.goal === 'drain' && (write.value as Placement).goal === 'stop';
    if (!stops || isOver(before, world) || !cluster.presence.get(before.agentId)?.connected) return [];
    return stillCountingOn(before, cluster);
  });
}

/** The rule of house §5, said once more without the scheduler's own code. */
function stillCountingOn(placement: Placement, cluster: Cluster): readonly string[] {
  if (cluster.now - (placement.drainingSince ?? 0) >= 60_000) return [];
  const absent = cluster.absentSince(placement.instanceId) ?? Number.POSITIVE_INFINITY;
  return [...cluster.presence].flatMap(([agent, { connected, acks, inFlight }]) => {
    if (!connected) return [];
    const behind = ['dns', 'edge'].filter((consumer) => (acks[consumer] ?? 0) < absent);
    const carried = inFlight[placement.instanceId] ?? 0;
    return behind.length + carried === 0 ? [] : [`${agent} still counts on ${placement.instanceId}`];
  });
}

function isAtRest(cluster: Cluster): boolean {
  const revision = cluster.replica.revision;
  cluster.cooperate();
  settle(cluster);
  const waits = decide(cluster.world()).waiting.size + cluster.replica.table('deployments').size;
  return cluster.replica.revision === revision && waits === 0;
}

function assertAsWanted(cluster: Cluster, id: AppId): void {
  const wanted = cluster.replica.table('apps').get(id)?.instances ?? 0;
  const ready = membersOf(cluster.world(), id).filter((member) => member.ready).length;
  if (ready !== wanted) throw new Error(`${id} has ${ready} ready instances instead of ${wanted}`);
}

function text(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part instanceof Map ? [...part].sort(([a], [b]) => (a < b ? -1 : 1)) : part,
  );
}
