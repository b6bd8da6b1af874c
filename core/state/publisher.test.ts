import t from 'tap';
import { silentLog } from '../kit/log.ts';
import { applyDelta, type DirectoryDelta, emptyDirectory } from '../model/directory.ts';
import { Database } from './database.ts';
import { DirectoryPublisher } from './publisher.ts';
import type { Write } from './store.ts';
import { nameStore } from './store-id.ts';
import { MemoryStore } from './stores/memory.ts';
import { versionKey } from './tables.ts';
import { testAgent } from './testing/agents.ts';
import { testApp } from './testing/apps.ts';
import { running, testInstance, testPlacement } from './testing/instances.ts';

const web = testApp('/web', { version: 'v1' });
const placement = testPlacement(web, 1);
const id = placement.instanceId;

const agent = (n: number): Write => ({
  kind: 'put',
  table: 'agents',
  key: `h${n}`,
  value: testAgent(`h${n}`),
});
const version: Write = { kind: 'put', table: 'versions', key: versionKey('/web', 'v1'), value: web };
const goal = (value: 'run' | 'drain' | 'stop'): Write => ({
  kind: 'put',
  table: 'placements',
  key: id,
  value: { ...placement, goal: value },
});
const started: Write = {
  kind: 'put',
  table: 'instances',
  key: id,
  value: testInstance(placement, running()),
};

async function publishing(t: { teardown(work: () => Promise<void>): void }) {
  const database = new Database(new MemoryStore(), silentLog);
  const publisher = new DirectoryPublisher(database);
  await database.start();
  await publisher.start();
  t.teardown(async () => {
    await publisher.stop();
    await database.stop();
  });
  return { database, publisher };
}

t.test('a consumer that was away gets just what it missed, a stranger gets everything', async (t) => {
  const { database, publisher } = await publishing(t);
  await database.commit([agent(1)]);
  const held = publisher.directory;
  await database.commit([agent(2)]);
  await database.commit([agent(3)]);
  t.same(publisher.catchUp(publisher.directory.revision), []);
  const missed = publisher.catchUp(held.revision);
  t.equal(missed.length, 2);
  t.same(missed.reduce(applyDelta, held), publisher.directory);
  const [snapshot] = publisher.catchUp(12_345);
  t.equal(snapshot?.from, 0);
  t.same(applyDelta(emptyDirectory, snapshot!), publisher.directory);
});

t.test('a revision of another store is as good as none', async (t) => {
  const { database, publisher } = await publishing(t);
  await nameStore(database.store, 'ours');
  await nameStore(database.store, 'not again');
  await publisher.start();
  await database.commit([agent(1)]);
  const held = publisher.directory;
  t.equal(held.store, 'ours');
  t.same(publisher.catchUp(held.revision, 'ours'), []);
  t.same(publisher.catchUp(held.revision), [], 'an agent of before does not say whose it is');
  t.match(publisher.catchUp(held.revision, 'theirs'), [{ from: 0, store: 'ours' }]);
  t.match(publisher.catchUp(held.revision, ''), [{ from: 0, store: 'ours' }], 'nor one that was never told');
});

t.test('subscribers get every delta once, until they leave', async (t) => {
  const { database, publisher } = await publishing(t);
  const seen: DirectoryDelta[] = [];
  const leave = publisher.subscribe((delta) => seen.push(delta));
  await database.commit([agent(1)]);
  await database.commit([version]);
  leave();
  await database.commit([agent(2)]);
  t.same(
    seen.map((delta) => delta.agents?.set.map((one) => one.id)),
    [['h1']],
  );
});

t.test('an instance is absent since the revision that took it out', async (t) => {
  const { database, publisher } = await publishing(t);
  await database.commit([agent(1), version, goal('run'), started]);
  t.equal(publisher.absentSince(id), undefined);
  await database.commit([goal('drain')]);
  const left = publisher.directory.revision;
  await database.commit([agent(2)]);
  t.equal(publisher.absentSince(id), left);
  await database.commit([goal('stop')]);
  t.equal(publisher.absentSince(id), left, 'from when it began to drain');
});

t.test('an instance a new leader never saw counts as absent from its first revision on', async (t) => {
  const { database, publisher } = await publishing(t);
  await database.commit([agent(1), version, goal('drain'), started]);
  const next = new DirectoryPublisher(database);
  await next.start();
  t.equal(next.absentSince(id), next.directory.revision);
  t.ok(next.directory.revision >= publisher.directory.revision, 'revisions never go back');
  await next.stop();
});

t.test('a publisher that starts again does not offer deltas with a gap', async (t) => {
  const { database, publisher } = await publishing(t);
  await database.commit([agent(1)]);
  const held = publisher.directory;
  await publisher.stop();
  await database.commit([agent(2)]);
  await publisher.start();
  await database.commit([agent(3)]);
  t.equal(publisher.catchUp(held.revision)[0]?.from, 0);
});

t.test('who has a contested host has it under the next leader too', async (t) => {
  const { database, publisher } = await publishing(t);
  const claim = (app: string): Write => {
    const labels = { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'a.example' };
    const portDefinitions = [{ port: 10_000, protocol: 'tcp', labels: {} }] as const;
    return { kind: 'put', table: 'apps', key: app, value: testApp(app, { labels, portDefinitions }) };
  };
  const kept = new Promise<void>((resolve) => {
    database.onChange(({ records }) => {
      if (records.some(({ table }) => table === 'hosts')) resolve();
    });
  });
  await database.commit([claim('/shop/web')]);
  await database.commit([claim('/blog/web')]);
  await kept;
  const next = new DirectoryPublisher(database);
  await next.start();
  t.teardown(() => next.stop());
  for (const { directory } of [publisher, next])
    t.same(
      [...directory.routes.values()].flatMap(({ owner, table }) => (table === undefined ? [owner] : [])),
      ['app:/shop/web'],
    );
});
