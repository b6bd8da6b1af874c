import t from 'tap';
import { FakeClock } from '../kit/fake-clock.ts';
import { silentLog } from '../kit/log.ts';
import { Database } from './database.ts';
import type { Change, Write } from './store.ts';
import { StoreUnavailable } from './store.ts';
import { MemoryStore } from './stores/memory.ts';

const route = (key: string, host = 'a'): Write => ({
  kind: 'put',
  table: 'routes',
  key,
  value: { id: key, host, pathPrefix: '/', service: { appId: '/a', portIndex: 0 } },
});

/** A store whose first watch breaks before it gives anything, as one does that lost the changes asked for. */
class BrokenWatchStore extends MemoryStore {
  broken = 0;
  override watch(revision: number, signal: AbortSignal): AsyncIterable<Change> {
    if (this.broken++ === 0) throw new StoreUnavailable('in memory', 'the changes are not kept');
    return super.watch(revision, signal);
  }
}

t.test('who wrote reads his own write, and listeners hear it after the copy has it', async (t) => {
  const database = new Database(new MemoryStore(), silentLog);
  await database.start();
  t.teardown(() => database.stop());
  const seen: string[] = [];
  database.onChange(() => seen.push(...database.snapshot.table('routes').keys()));
  await database.commit([route('r1')]);
  t.ok(database.snapshot.table('routes').has('r1'));
  t.same(seen, ['r1']);
});

t.test('a lost race changes nothing', async (t) => {
  const database = new Database(new MemoryStore(), silentLog);
  await database.start();
  t.teardown(() => database.stop());
  await database.commit([route('r1')]);
  const result = await database.commit([{ ...route('r1', 'b'), expect: 0 }]);
  t.same(result, { kind: 'conflict', table: 'routes', key: 'r1' });
  t.equal(database.snapshot.table('routes').get('r1')?.host, 'a');
});

t.test('a listener that fails keeps no other from hearing', async (t) => {
  const database = new Database(new MemoryStore(), silentLog);
  await database.start();
  t.teardown(() => database.stop());
  let heard = 0;
  database.onChange(() => {
    throw new Error('broken listener');
  });
  database.onChange(() => {
    heard += 1;
  });
  await database.commit([route('r1')]);
  t.equal(heard, 1);
});

t.test('a watch that cannot go on is made up for by the whole list', async (t) => {
  const store = new BrokenWatchStore();
  await store.commit([route('r1'), route('r2')]);
  const clock = new FakeClock();
  const database = new Database(store, silentLog, clock);
  await database.start();
  t.teardown(() => database.stop());
  const seen: Change[] = [];
  database.onChange((change) => seen.push(change));
  await store.commit([{ kind: 'delete', table: 'routes', key: 'r1' }]);
  const third = database.commit([route('r3')]);
  while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(200);
  await third;
  t.same([...database.snapshot.table('routes').keys()].sort(), ['r2', 'r3']);
  t.equal(seen.length, 1);
  await database.commit([route('r4')]);
  t.equal(seen.length, 2, 'and the watch goes on');
});

t.test('a database can be stopped and started again, and twice does nothing', async (t) => {
  const database = new Database(new MemoryStore(), silentLog);
  await database.start();
  await database.start();
  await database.commit([route('r1')]);
  await database.stop();
  await database.stop();
  t.pass();
});
