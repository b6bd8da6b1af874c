import t from 'tap';
import { Replica } from '../core/state/snapshot.ts';
import { testAgent } from '../core/state/testing/agents.ts';
import { testApp } from '../core/state/testing/apps.ts';
import { running, testInstance, testPlacement } from '../core/state/testing/instances.ts';
import { AppTexts } from './app-texts.ts';
import { appInfo, embedsFrom } from './views.ts';

t.test('a list as text says what its apps say one by one, also when asked again', async (t) => {
  const apps = [testApp('/a'), testApp('/b', { labels: { text: '"},{' } })];
  const deployment = {
    ...{ id: 'd1', version: 'v', steps: [], step: 0, startedAt: 0 },
    ...{ affectedApps: ['/b'], originals: {} },
  };
  const snapshot = new Replica();
  snapshot.load(1, [{ table: 'deployments', key: 'd1', value: deployment, version: 1 }]);
  const texts = new AppTexts();
  for (const query of [[], ['apps.tasks', 'apps.counts'], ['app.lastTaskFailure']]) {
    const embeds = embedsFrom(query, []);
    const one = apps.map((app) => appInfo(snapshot, app, { embeds, now: 0 }));
    t.same(JSON.parse([...texts.list(snapshot, apps, { embeds, now: 0 })].join('')), one);
    t.equal([...texts.list(snapshot, apps, { embeds, now: 0 })].join(''), JSON.stringify(one));
  }
  t.equal([...texts.list(snapshot, [], { embeds: embedsFrom([], []), now: 0 })].join(''), '[]');
  t.match(
    JSON.parse([...texts.list(snapshot, apps, { embeds: embedsFrom([], ['deployments']), now: 0 })].join('')),
    [{ deployments: [] }, { deployments: [{ id: 'd1' }] }],
  );
});

t.test('an app is put into words again when something of it changed, and only then', async (t) => {
  const app = testApp('/a', { version: 'v' });
  const placement = testPlacement(app, 1);
  const snapshot = new Replica();
  const texts = new AppTexts();
  const counts = () => texts.view(snapshot, { embeds: embedsFrom([], ['counts']), now: 0 })(app);
  let revision = 1;
  const change = (table: 'placements' | 'instances' | 'agents', key: string, value: unknown) =>
    snapshot.apply({ revision: ++revision, records: [{ table, key, value }] });
  change('placements', placement.instanceId, placement);
  const before = counts();
  change('agents', 'elsewhere', testAgent('elsewhere'));
  t.equal(counts(), before);
  change('instances', placement.instanceId, testInstance(placement, running()));
  t.match(JSON.parse(counts()), { tasksRunning: 1 });
  change('instances', placement.instanceId, undefined);
  t.match(JSON.parse(counts()), { tasksRunning: 0 });
});
