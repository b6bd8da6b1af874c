import type { Test } from 'tap';
import type { Change, Store, Write } from './store.ts';

/** An implementation of the seam over empty data that no other test touches. */
export type StoreFixture = {
  readonly store: Store;
  /** The same data opened once more beside the first, as another process would. Absent: the store has one owner at a time. */
  readonly other?: () => Promise<Store>;
  /** Closes the store and opens its data again. Absent: the store forgets. */
  readonly reopen?: () => Promise<Store>;
};

type Case = (t: Test, fixture: StoreFixture) => Promise<void>;

/** The suite every Store passes. `create` hands out an opened store and arranges for its end with `t.teardown`. */
export function storeContract(
  t: Test,
  name: string,
  create: (t: Test) => Promise<StoreFixture>,
): Promise<unknown> {
  return t.test(`${name} is a Store`, async (t) => {
    for (const [title, run] of Object.entries(cases)) {
      await t.test(title, async (t) => run(t, await create(t)));
    }
  });
}

const cases: Readonly<Record<string, Case>> = {
  'a value that was put is given back with the revision of its write': async (t, { store }) => {
    const result = await store.commit([put('/a', { n: 1, list: [null, 'é'] }, 0)]);
    t.same(result, { kind: 'committed', revision: 1 });
    t.same(await store.get('apps', '/a'), {
      table: 'apps',
      key: '/a',
      value: { n: 1, list: [null, 'é'] },
      version: 1,
    });
    t.equal(await store.get('apps', '/b'), undefined);
    t.equal(await store.get('versions', '/a'), undefined);
  },

  'a commit of nothing changes nothing and gives the present revision': async (t, { store }) => {
    await store.commit([put('/a', 1)]);
    t.same(await store.commit([]), { kind: 'committed', revision: 1 });
    t.equal((await store.list()).revision, 1);
  },

  'a list is everything, of one revision': async (t, { store }) => {
    await store.commit([put('/a', 1), put('/b', 2), { kind: 'put', table: 'meta', key: '/a', value: 3 }]);
    await store.commit([{ kind: 'delete', table: 'apps', key: '/b' }]);
    const { revision, records } = await store.list();
    t.equal(revision, 2);
    const seen = records.map(({ table, key, value, version }) => `${table} ${key} ${value} ${version}`);
    t.same(seen.toSorted(), ['apps /a 1 1', 'meta /a 3 1']);
  },

  'a commit with one lost race changes nothing and names the record': async (t, { store }) => {
    await store.commit([put('/a', 'old')]);
    const result = await store.commit([put('/new', 1), put('/a', 'mine', 0), put('/b', 1)]);
    t.same(result, { kind: 'conflict', table: 'apps', key: '/a' });
    t.same(
      (await store.list()).records.map((record) => record.value),
      ['old'],
    );
    t.equal((await store.list()).revision, 1);
  },

  'a write is compared with the version that was read': async (t, { store }) => {
    await store.commit([put('/a', 1, 0)]);
    t.match(await store.commit([put('/a', 2, 1)]), { kind: 'committed', revision: 2 });
    t.match(await store.commit([put('/a', 3, 1)]), { kind: 'conflict', key: '/a' });
    t.match(await store.commit([{ kind: 'delete', table: 'apps', key: '/a', expect: 1 }]), {
      kind: 'conflict',
    });
    t.match(await store.commit([{ kind: 'delete', table: 'apps', key: '/a', expect: 2 }]), {
      kind: 'committed',
    });
    t.match(await store.commit([put('/a', 4, 2)]), { kind: 'conflict' }, 'a deleted record has version 0');
    t.match(await store.commit([put('/a', 4, 0)]), { kind: 'committed', revision: 4 });
  },

  'a commit may be larger than a transaction of a key-value server': async (t, { store }) => {
    const many = Array.from({ length: 300 }, (_, n) => put(`/app-${n}`, { n, pad: 'x'.repeat(4_000) }, 0));
    t.match(await store.commit(many), { kind: 'committed', revision: 1 });
    const { records } = await store.list();
    t.equal(records.length, 300);
    t.ok(records.every((record) => record.version === 1));
  },

  'of many writers that read the same version exactly one wins': async (t, { store, other }) => {
    const second = other === undefined ? store : await other();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? store : second).commit([put('/a', n, 0)])),
    );
    t.equal(results.filter((result) => result.kind === 'committed').length, 1);
    t.equal((await store.list()).revision, 1);
  },

  'a watch gives every change after the revision, in order, once, while writers go on': async (
    t,
    fixture,
  ) => {
    const { store } = fixture;
    const second = fixture.other === undefined ? store : await fixture.other();
    await store.commit([put('/first', 1)]);
    const early = collect(store, 0, 101);
    const late = collect(second, 1, 100);
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        (n % 2 ? store : second).commit([
          put(`/a${n}`, n),
          { kind: 'delete', table: 'apps', key: `/a${n - 1}` },
        ]),
      ),
    );
    t.same(
      (await early).map((change) => change.revision),
      Array.from({ length: 101 }, (_, n) => n + 1),
    );
    t.same(await late, (await early).slice(1));
    const { records } = await store.list();
    t.same(replayed(await early), new Map(records.map((record) => [record.key, record.value])));
  },

  'a change lists its records in the order of the writes, deletions without value': async (t, { store }) => {
    const change = collect(store, 0, 1);
    await store.commit([put('/b', 1), { kind: 'delete', table: 'meta', key: 'x' }, put('/a', 2)]);
    t.same(await change, [
      {
        revision: 1,
        records: [
          { table: 'apps', key: '/b', value: 1 },
          { table: 'meta', key: 'x', value: undefined },
          { table: 'apps', key: '/a', value: 2 },
        ],
      },
    ]);
  },

  'a watch ends when it is told to, with or without a change under way': async (t, { store }) => {
    const told = new AbortController();
    const ended = drain(store.watch(0, told.signal));
    told.abort();
    t.equal(await ended, 0);
    t.equal(await drain(store.watch(0, told.signal)), 0);
  },

  'a watch ends when the store is closed': async (t, { store }) => {
    const ended = drain(store.watch(0, new AbortController().signal));
    await store.close();
    t.equal(await ended, 0);
  },

  'a watch from a revision that was never reached is refused': async (t, { store }) => {
    const watching = async () => drain(store.watch(7, new AbortController().signal));
    await t.rejects(watching(), { code: 'WEIR_STORE_UNAVAILABLE' });
  },

  'a lock has one holder, and each holder a larger fence': async (t, { store, other }) => {
    const second = other === undefined ? store : await other();
    const signal = new AbortController().signal;
    const first = await store.lock('leader', 'one', signal);
    let turn = 'first';
    const next = second.lock('leader', 'two', signal).then((lock) => {
      turn = 'second';
      return lock;
    });
    const elsewhere = await second.lock('other', 'two', signal);
    t.equal(turn, 'first');
    await first.release();
    const later = await next;
    t.ok(later.fence > first.fence);
    t.notOk(later.lost.aborted);
    await later.release();
    await elsewhere.release();
  },

  'a commit under a lock is refused once another process has had the lock': async (t, { store, other }) => {
    const { signal } = new AbortController();
    const first = await store.lock('master', 'one', signal);
    const fence = { lock: 'master', fence: first.fence };
    t.match(await store.commit([put('/a', 1)], fence), { kind: 'committed' });
    if (other === undefined) return;
    const second = await other();
    await first.release();
    const next = await second.lock('master', 'two', signal);
    await t.rejects(store.commit([put('/a', 2)], fence), { code: 'WEIR_STORE_UNAVAILABLE' });
    t.match(await store.get('apps', '/a'), { value: 1 });
    const own = { lock: 'master', fence: next.fence };
    t.match(await second.commit([put('/a', 3)], own), { kind: 'committed' });
    await next.release();
  },
  'a wait for a lock can be given up, and does not stand in the way of others': async (t, { store }) => {
    const held = await store.lock('leader', 'one', new AbortController().signal);
    const given = new AbortController();
    const waiting = store.lock('leader', 'two', given.signal);
    const third = store.lock('leader', 'three', new AbortController().signal);
    given.abort();
    await t.rejects(waiting);
    await held.release();
    t.ok((await third).fence > held.fence);
  },

  'what was committed is there after the store was opened again': async (t, { store, reopen }) => {
    if (reopen === undefined) return void t.pass('forgets on purpose');
    await store.commit([put('/a', { kept: true }), put('/b', 1)]);
    await store.commit([{ kind: 'delete', table: 'apps', key: '/b' }]);
    const { fence } = await store.lock('leader', 'one', new AbortController().signal);
    const again = await reopen();
    t.same(await again.list(), {
      revision: 2,
      records: [{ table: 'apps', key: '/a', value: { kept: true }, version: 1 }],
    });
    t.match(await again.commit([put('/a', 2, 1)]), { kind: 'committed', revision: 3 });
    t.ok((await again.lock('leader', 'two', new AbortController().signal)).fence > fence);
  },
};

function put(key: string, value: unknown, expect?: number): Write {
  return { kind: 'put', table: 'apps', key, value, ...(expect === undefined ? {} : { expect }) };
}

async function collect(store: Store, revision: number, count: number): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for await (const change of store.watch(revision, new AbortController().signal)) {
    changes.push(change);
    if (changes.length === count) break;
  }
  return changes;
}

async function drain(changes: AsyncIterable<Change>): Promise<number> {
  let count = 0;
  for await (const _ of changes) count += 1;
  return count;
}

function replayed(changes: readonly Change[]): Map<string, unknown> {
  const state = new Map<string, unknown>();
  for (const record of changes.flatMap((change) => change.records)) {
    if (record.value === undefined) state.delete(record.key);
    else state.set(record.key, record.value);
  }
  return state;
}
