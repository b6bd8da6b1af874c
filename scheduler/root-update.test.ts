import t from 'tap';
import type { App } from '../core/model/app.ts';
import { testAgent } from '../core/state/testing/agents.ts';
import { testApp } from '../core/state/testing/apps.ts';
import { nextVersion } from './root-update.ts';
import { Cluster, epoch } from './testing/cluster.ts';

function put(cluster: Cluster, fields: Partial<App>, force = false) {
  const root = cluster.replica.table('apps');
  const app = { ...(root.get('/web') ?? testApp('/web')), ...fields };
  return cluster.update(() => ({ after: new Map([...root, ['/web', app]]) }), force);
}

function remove(cluster: Cluster) {
  return cluster.update(() => ({ after: new Map() }), true);
}

t.test('a new app, a scaling and a change move the versions of Marathon 15.1', async (t) => {
  const cluster = new Cluster();
  const info = () => cluster.replica.table('apps').get('/web')?.versionInfo;
  const at = (ms: number) => new Date(epoch + ms).toISOString();
  put(cluster, {});
  t.same(info(), { lastScalingAt: at(0), lastConfigChangeAt: at(0) });
  cluster.now += 5;
  put(cluster, { instances: 3 }, true);
  t.same(info(), { lastScalingAt: at(5), lastConfigChangeAt: at(0) });
  cluster.now += 5;
  put(cluster, { cpus: 0.2 }, true);
  t.same(info(), { lastScalingAt: at(10), lastConfigChangeAt: at(10) });
  cluster.now += 5;
  const root = cluster.replica.table('apps');
  cluster.update(() => ({ after: root, restarted: ['/web'] }), true);
  t.same(info(), { lastScalingAt: at(10), lastConfigChangeAt: at(15) });
});

t.test('the order of keys in a definition is no difference', async (t) => {
  const cluster = new Cluster();
  put(cluster, { labels: { a: '1', b: '2' } });
  const planned = put(cluster, { labels: { b: '2', a: '1' } });
  t.match(planned, { kind: 'planned', deployment: { steps: [] } });
});

t.test('versions grow even when the clock stands still or goes back, over a deleted app too', async (t) => {
  const cluster = new Cluster();
  cluster.join(testAgent('h1'));
  put(cluster, {});
  cluster.round();
  cluster.round();
  remove(cluster);
  const before = cluster.replica.versionsOf('/web').at(-1)!.version;
  t.ok(nextVersion(epoch - 60_000, cluster.replica) > before);
});

t.test('fifty versions of an app are kept, and those that something runs of', async (t) => {
  const cluster = new Cluster();
  cluster.join(testAgent('h1'));
  put(cluster, { upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 }, constraints: [] });
  for (let turn = 0; turn < 5; turn++) {
    cluster.cooperate();
    cluster.round();
  }
  const first = cluster.replica.versionsOf('/web')[0]!.version;
  // No agent fits from here on, so that the first version goes on running.
  for (let n = 0; n < 70; n++) put(cluster, { cpus: 100 + n }, true);
  cluster.round();
  const kept = cluster.replica.versionsOf('/web').map((app) => app.version);
  t.equal(kept.length, 51);
  t.equal(kept[0], first);
});

t.test('the versions of an app that was never placed go with it', async (t) => {
  const cluster = new Cluster();
  put(cluster, {});
  remove(cluster);
  t.same(cluster.replica.versionsOf('/web'), []);
});
