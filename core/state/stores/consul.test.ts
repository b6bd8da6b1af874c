import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { systemClock } from '../../kit/clock.ts';
import { storeContract } from '../store.contract.ts';
import type { Store } from '../store.ts';
import { type ConsulOptions, ConsulStore } from './consul.ts';
import { noConsul, startConsul } from './testing/consul-server.ts';

await t.test('with a server of its own', { skip: noConsul }, async (t) => {
  const server = await startConsul();
  t.teardown(() => server.stop());
  const { url } = server;

  await storeContract(t, 'the consul store', async (t) => {
    const prefix = randomUUID();
    const store = await opened(t, { url, prefix });
    const other = () => opened(t, { url, prefix });
    const reopen = async () => {
      await store.close();
      return other();
    };
    return { store, other, reopen };
  });

  await t.test('snapshots take the place of the log, and nobody who follows notices', async (t) => {
    const options = { url, prefix: randomUUID(), compactAfter: 10 };
    const store = await opened(t, options);
    const follower = await opened(t, options);
    const seen = revisionsOf(follower, 60);
    for (let n = 0; n < 60; n += 1) await put(store, `/a${n % 7}`, `é${n}`);
    t.same(
      await seen,
      Array.from({ length: 60 }, (_, n) => n + 1),
    );
    const late = await opened(t, options);
    t.same(await late.list(), await store.list());
    const tooLate = async () => revisionsOf(late, 1);
    await t.rejects(tooLate(), { message: /are not kept; list again/ });
  });

  await t.test('a commit of two megabytes is one change for everybody', async (t) => {
    const options = { url, prefix: randomUUID() };
    const store = await opened(t, options);
    const value = 'ä'.repeat(1_000_000);
    await put(store, '/large', value);
    const other = await opened(t, options);
    t.equal((await other.get('apps', '/large'))?.value, value);
  });
});

await t.test('a server that is not there is named, without its token', async (t) => {
  const store = new ConsulStore({ url: 'http://:secret@127.0.0.1:1', clock: systemClock });
  t.teardown(() => store.close());
  await t.rejects(store.open(), {
    code: 'WEIR_STORE_UNAVAILABLE',
    message: /^Cannot use the store at http:\/\/127\.0\.0\.1:1: /,
  });
});

async function opened(t: Test, options: Omit<ConsulOptions, 'clock'>): Promise<ConsulStore> {
  const store = new ConsulStore({ ...options, clock: systemClock });
  await store.open();
  t.teardown(() => store.close());
  return store;
}

async function put(store: Store, key: string, value: unknown): Promise<void> {
  await store.commit([{ kind: 'put', table: 'apps', key, value }]);
}

async function revisionsOf(store: Store, count: number): Promise<readonly number[]> {
  const revisions: number[] = [];
  for await (const { revision } of store.watch(0, new AbortController().signal)) {
    revisions.push(revision);
    if (revisions.length === count) break;
  }
  return revisions;
}
