import t from 'tap';
import { Replica } from '../core/state/snapshot.ts';
import type { Change } from '../core/state/store.ts';
import { testAgent } from '../core/state/testing/agents.ts';
import { testApp } from '../core/state/testing/apps.ts';
import { decide } from './decide.ts';
import { Memory } from './memory.ts';
import { Cluster } from './testing/cluster.ts';

t.test('rounds with a limit do as much as one without, in parts, and say that there is more', async (t) => {
  const cluster = new Cluster();
  cluster.join(testAgent('h1', { resources: { cpus: 100, mem: 100_000, disk: 100_000, gpus: 0 } }));
  const apps = Array.from({ length: 30 }, (_, n) => testApp(`/a${n}`, { instances: 3 }));
  cluster.update(() => ({ after: new Map(apps.map((app) => [app.id, app])) }));
  const memory = new Memory();
  const replica = copyOf(cluster.replica);
  let ids = 0;
  const world = () => ({ ...cluster.world(), snapshot: replica, uuid: () => String(++ids) });
  const sizes: number[] = [];
  for (;;) {
    const { writes, wakeAt } = decide(world(), memory, { writes: 6, apps: 10 });
    if (writes.length === 0 && wakeAt > cluster.now) break;
    sizes.push(writes.length);
    const change: Change = {
      revision: replica.revision + 1,
      records: writes.map((write) => ({
        ...{ table: write.table, key: write.key },
        value: 'value' in write ? write.value : undefined,
      })),
    };
    replica.apply(change);
    memory.note(change);
  }
  t.equal(replica.table('placements').size, 90);
  t.ok(sizes.length >= 15 && Math.max(...sizes) <= 9, `${sizes}`);
});

function copyOf(replica: Replica): Replica {
  const copy = new Replica();
  const tables = ['agents', 'apps', 'versions', 'addresses', 'deployments'] as const;
  const records = tables.flatMap((table) =>
    [...replica.table(table)].map(([key, value]) => ({ table, key, value, version: 1 })),
  );
  copy.load(replica.revision, records);
  return copy;
}
