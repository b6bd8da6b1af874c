import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { systemClock } from '../../kit/clock.ts';
import { storeContract } from '../store.contract.ts';
import { type RedisOptions, RedisStore } from './redis.ts';
import { noRedis, startRedis } from './testing/redis-server.ts';

await t.test('with a server of its own', { skip: noRedis }, async (t) => {
  const server = await startRedis();
  t.teardown(() => server.stop());

  await storeContract(t, 'the redis store', async (t) => {
    const prefix = randomUUID();
    const store = await opened(t, { url: server.url, prefix, leaseMs: 1_000 });
    const other = () => opened(t, { url: server.url, prefix, leaseMs: 1_000 });
    const reopen = async () => {
      await store.close();
      return other();
    };
    return { store, other, reopen };
  });

  await t.test('a holder that cannot renew loses the lock before another can have it', async (t) => {
    const prefix = randomUUID();
    const signal = new AbortController().signal;
    const store = await opened(t, { url: server.url, prefix, leaseMs: 300 });
    const other = await opened(t, { url: server.url, prefix, leaseMs: 300 });
    const first = await store.lock('leader', 'one', signal);
    const lost = once(first.lost, 'abort').then(() => 'lost');
    const next = other.lock('leader', 'two', signal);
    await store.close();
    t.equal(await Promise.race([lost, next.then(() => 'taken')]), 'lost');
    t.ok((await next).fence > first.fence);
    await (await next).release();
  });

  await t.test('a lock is kept for longer than its lease while the server answers', async (t) => {
    const prefix = randomUUID();
    const store = await opened(t, { url: server.url, prefix, leaseMs: 150 });
    const lock = await store.lock('leader', 'one', new AbortController().signal);
    const waiting = new AbortController();
    const other = store.lock('leader', 'two', AbortSignal.any([waiting.signal, AbortSignal.timeout(600)]));
    await t.rejects(other);
    t.notOk(lock.lost.aborted);
    await lock.release();
  });

  await t.test('a server that was killed gives back everything it acknowledged', async (t) => {
    const options = { url: server.url, prefix: randomUUID() };
    const store = await opened(t, options);
    const writes = Array.from({ length: 50 }, (_, n) =>
      store.commit([{ kind: 'put', table: 'apps', key: `/a${n}`, value: n }]),
    );
    await Promise.all(writes);
    const refused = t.rejects(watchToItsEnd(store), { code: 'WEIR_STORE_UNAVAILABLE' });
    await server.restart();
    await refused;
    const again = await opened(t, options);
    t.equal((await again.list()).records.length, 50);
  });

  await t.test('a watch from a change that was trimmed is refused', async (t) => {
    const store = await opened(t, { url: server.url, prefix: randomUUID(), keep: 1 });
    for (let n = 0; n < 300; n += 1)
      await store.commit([{ kind: 'put', table: 'apps', key: '/a', value: n }]);
    await t.rejects(watchToItsEnd(store), { message: /are not kept; list again/ });
  });
});

await t.test('a server that is not there is named, without its password', async (t) => {
  const store = new RedisStore({ url: 'redis://:secret@127.0.0.1:1/0', clock: systemClock });
  t.teardown(() => store.close());
  await t.rejects(store.open(), {
    code: 'WEIR_STORE_UNAVAILABLE',
    message: /^Cannot use the store at redis:\/\/127\.0\.0\.1:1\/0: /,
  });
});

async function opened(t: Test, options: Omit<RedisOptions, 'clock'>): Promise<RedisStore> {
  const store = new RedisStore({ ...options, clock: systemClock });
  await store.open();
  t.teardown(() => store.close());
  return store;
}

async function watchToItsEnd(store: RedisStore): Promise<void> {
  for await (const _ of store.watch(0, new AbortController().signal));
}
