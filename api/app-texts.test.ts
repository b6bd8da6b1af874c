import t from 'tap';
import { Replica } from '../core/state/snapshot.ts';
import { testApp } from '../core/state/testing/apps.ts';
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
    t.same(JSON.parse(texts.list(snapshot, apps, { embeds, now: 0 })), one);
    t.equal(texts.list(snapshot, apps, { embeds, now: 0 }), JSON.stringify(one));
  }
  t.equal(texts.list(snapshot, [], { embeds: embedsFrom([], []), now: 0 }), '[]');
  t.match(JSON.parse(texts.list(snapshot, apps, { embeds: embedsFrom([], ['deployments']), now: 0 })), [
    { deployments: [] },
    { deployments: [{ id: 'd1' }] },
  ]);
});
