import t from 'tap';
import { Replica } from './snapshot.ts';
import type { StoredRecord } from './store.ts';

const record = (table: StoredRecord['table'], key: string, value: unknown): StoredRecord => ({
  table,
  key,
  value,
  version: 1,
});

t.test('the replica finds placements by app and by agent as they come, move and go', async (t) => {
  const replica = new Replica();
  const put = (revision: number, key: string, value: unknown) =>
    replica.apply({ revision, records: [{ table: 'placements', key, value }] });
  put(1, 'i1', { instanceId: 'i1', appId: '/a', agentId: 'h1' });
  put(2, 'i2', { instanceId: 'i2', appId: '/a', agentId: 'h2' });
  t.same(names(replica.placementsOf('/a')), ['i1', 'i2']);
  t.same(names(replica.placementsOn('h1')), ['i1']);
  put(3, 'i1', { instanceId: 'i1', appId: '/a', agentId: 'h2' });
  t.same(names(replica.placementsOn('h1')), []);
  t.same(names(replica.placementsOn('h2')), ['i2', 'i1']);
  put(4, 'i2', undefined);
  t.same(names(replica.placementsOf('/a')), ['i1']);
  t.equal(replica.revision, 4);
});

t.test('the replica finds the versions of an app', async (t) => {
  const replica = new Replica();
  replica.load(7, [
    record('versions', '/a@1', { id: '/a', version: '1' }),
    record('versions', '/a@2', { id: '/a', version: '2' }),
    record('versions', '/ab@1', { id: '/ab', version: '1' }),
  ]);
  t.same(
    replica.versionsOf('/a').map((app) => app.version),
    ['1', '2'],
  );
  replica.apply({ revision: 8, records: [{ table: 'versions', key: '/a@1', value: undefined }] });
  t.same(
    replica.versionsOf('/a').map((app) => app.version),
    ['2'],
  );
});

t.test('the replica forgets what it had when it is loaded again', async (t) => {
  const replica = new Replica();
  replica.load(1, [record('placements', 'i1', { instanceId: 'i1', appId: '/a', agentId: 'h1' })]);
  replica.load(2, []);
  t.equal(replica.table('placements').size, 0);
  t.same(replica.placementsOf('/a'), []);
});

t.test('the replica ignores tables it does not read back', async (t) => {
  const replica = new Replica();
  replica.apply({ revision: 1, records: [{ table: 'meta', key: 'x', value: 1 }] });
  t.equal(replica.revision, 1);
});

function names(placements: readonly { readonly instanceId: string }[]): readonly string[] {
  return placements.map((placement) => placement.instanceId);
}
