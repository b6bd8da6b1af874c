import t from 'tap';
import { storeContract } from '../store.contract.ts';
import { StoreUnavailable } from '../store.ts';
import { MemoryStore } from './memory.ts';

const put = (key: string) => ({ kind: 'put', table: 'apps', key, value: key }) as const;

await storeContract(t, 'the memory store', async () => ({ store: new MemoryStore() }));

await t.test(
  'a watch from a change that is not kept any more is refused, one under way loses nothing',
  async (t) => {
    const store = new MemoryStore({ keep: 2 });
    const watch = store.watch(0, new AbortController().signal)[Symbol.asyncIterator]();
    for (const key of ['/a', '/b', '/c', '/d']) await store.commit([put(key)]);
    t.throws(() => store.watch(1, new AbortController().signal), StoreUnavailable);
    const seen = [];
    for (let n = 0; n < 4; n += 1) seen.push((await watch.next()).value?.revision);
    t.same(seen, [1, 2, 3, 4]);
  },
);

await t.test('a value that was committed is not changed by its writer later', async (t) => {
  const store = new MemoryStore();
  const value = { n: 1 };
  await store.commit([{ kind: 'put', table: 'apps', key: '/a', value }]);
  value.n = 2;
  t.same((await store.get('apps', '/a'))?.value, { n: 1 });
});
