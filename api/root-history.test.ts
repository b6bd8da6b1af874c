import fc from 'fast-check';
import t from 'tap';
import type { App } from '../core/model/app.ts';
import { ancestorsOf } from '../core/model/group.ts';
import { Replica } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';
import { testApp } from '../core/state/testing/apps.ts';
import { groupInfo, rootVersions, treeAt, treeOf } from './groups.ts';
import { historyWrites } from './root-history.ts';

const ids = ['/a', '/g/b', '/g/c', '/g/in/d', '/h/e'];
type Step = { put: string[]; remove: string[]; groups: string[] | undefined };

const step: fc.Arbitrary<Step> = fc.record({
  put: fc.subarray(ids),
  remove: fc.subarray(ids),
  groups: fc.option(fc.subarray(['/g', '/h', '/empty', '/empty/in']), { nil: undefined }),
});

function commit(replica: Replica, writes: readonly Write[]): void {
  const records = writes.map((write) => ({
    ...{ table: write.table, key: write.key },
    value: write.kind === 'put' ? write.value : undefined,
  }));
  replica.apply({ revision: replica.revision + 1, records });
}

function change(replica: Replica, { put, remove, groups }: Step, version: string): void {
  const before = new Map(replica.table('apps'));
  const after = new Map([...before].filter(([id]) => !remove.includes(id)));
  for (const id of put) after.set(id, testApp(id, { version }));
  const wanted =
    groups === undefined
      ? {}
      : { groups: new Map(groups.flatMap((id) => [id, ...ancestorsOf(id)]).map((id) => [id, {}])) };
  const history = historyWrites(replica, { before, after, ...wanted }, version);
  const apps = [...new Set([...before.keys(), ...after.keys()])].map((key): Write => {
    const value = after.get(key);
    return value === undefined
      ? { kind: 'delete', table: 'apps', key }
      : { kind: 'put', table: 'apps', key, value };
  });
  commit(replica, [...apps, ...history]);
}

function shown(tree: ReturnType<typeof treeOf>): string {
  const sections = { apps: true, groups: true, pods: false };
  const renderApp = ({ id, version }: App) => ({ id, version });
  const ordered = { ...tree, apps: new Map([...tree.apps].sort(([a], [b]) => (a < b ? -1 : 1))) };
  return JSON.stringify(groupInfo(ordered, '/', { sections, renderApp, renderPod: () => ({}) }));
}

t.test('an older root is seen as it was when it was the present one', async (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const replica = new Replica();
      const seen = new Map<string, string>();
      for (const [index, one] of steps.entries()) {
        const version = `v${String(index).padStart(2, '0')}`;
        change(replica, one, version);
        seen.set(version, shown(treeOf(replica)));
      }
      for (const [version, text] of seen) {
        const tree = treeAt(replica, version);
        if (tree === undefined || shown(tree) !== text)
          throw new Error(`${version} was ${text}, is ${tree && shown(tree)}`);
      }
      if (rootVersions(replica).join() !== [...seen.keys()].toReversed().join()) throw new Error('versions');
    }),
  );
  t.pass();
});

t.test('history is bounded, and what is forgotten is said to be unknown', async (t) => {
  const replica = new Replica();
  const versions = Array.from({ length: 60 }, (_, n) => `v${n + 10}`);
  for (const version of versions) change(replica, { put: ['/a'], remove: [], groups: undefined }, version);
  t.same(rootVersions(replica), versions.toReversed().slice(0, 50));
  t.equal(treeAt(replica, versions[9] ?? ''), undefined);
  t.ok(treeAt(replica, versions[10] ?? ''));
});
