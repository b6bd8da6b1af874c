import t from 'tap';
import { FakeClock } from '../core/kit/fake-clock.ts';
import { silentLog } from '../core/kit/log.ts';
import { applyDelta, type DirectoryDelta, emptyDirectory } from '../core/model/directory.ts';
import { Consumers } from './consumers.ts';
import { endpointOf } from './testing/assignments.ts';
import { turns } from './testing/eventually.ts';
import { FakeConsumer } from './testing/fake-consumer.ts';

const whole: DirectoryDelta = { from: 0, revision: 5, endpoints: { set: [endpointOf('a')], gone: [] } };
const added: DirectoryDelta = { from: 5, revision: 6, endpoints: { set: [endpointOf('b')], gone: [] } };
const left: DirectoryDelta = { from: 6, revision: 7, endpoints: { set: [], gone: ['web.instance-a'] } };

t.test('a consumer gets nothing before there is a Directory', async (t) => {
  const { consumers, dns, acks } = await started(t);
  await turns();
  t.same(dns.calls, []);
  t.same(consumers.acks, { dns: 0, vip: 0 });
  t.equal(acks(), 0);
});

t.test('a consumer gets the whole first, then what changed, and acknowledges each', async (t) => {
  const { consumers, dns, acks } = await started(t);
  consumers.take(whole);
  await turns();
  consumers.take(added);
  await turns();
  t.same(dns.calls, [
    { revision: 5, delta: undefined },
    { revision: 6, delta: added },
  ]);
  t.same(consumers.acks, { dns: 6, vip: 6 });
  t.equal(acks(), 4, 'each is said at once');
});

t.test('what is in force of one store is no acknowledgement to another', async (t) => {
  const { consumers, dns } = await started(t);
  consumers.take({ ...whole, revision: 9, store: 'wiped' });
  await turns();
  t.same(consumers.acks, { dns: 9, vip: 9 });
  consumers.take({ ...whole, store: 'new' });
  t.same(consumers.acks, { dns: 0, vip: 0 });
  await turns();
  t.same(dns.calls.at(-1), { revision: 5, delta: undefined }, 'it is given the whole');
  t.same(consumers.acks, { dns: 5, vip: 5 });
  t.equal(consumers.directory.store, 'new');
});

t.test('a slow consumer holds nobody, and gets what it missed together', async (t) => {
  const { consumers, dns, vip } = await started(t);
  const slow = Promise.withResolvers<void>();
  dns.onApply = () => slow.promise;
  consumers.take(whole);
  await turns();
  consumers.take(added);
  consumers.take(left);
  await turns();
  t.same(consumers.acks, { dns: 0, vip: 7 });
  t.equal(vip.inForce, 7);

  dns.onApply = () => {};
  slow.resolve();
  await turns();
  t.same(
    dns.calls.map(({ revision }) => revision),
    [5, 7],
  );
  t.match(dns.calls[1]?.delta, {
    from: 5,
    revision: 7,
    endpoints: { set: [{ instanceId: 'web.instance-b' }], gone: ['web.instance-a'] },
  });
  t.same(consumers.acks, { dns: 7, vip: 7 });
});

t.test('a consumer that fails keeps its acknowledgement, and is asked again with everything', async (t) => {
  const { consumers, dns, clock } = await started(t);
  consumers.take(whole);
  await turns();
  dns.onApply = () => {
    throw new Error('the kernel refuses');
  };
  consumers.take(added);
  await turns();
  t.same(consumers.acks, { dns: 5, vip: 6 });
  t.equal(dns.calls.length, 2);
  await clock.advance(50);
  await turns();
  t.equal(dns.calls.length, 3, 'after 50 ms');
  await clock.advance(99);
  t.equal(dns.calls.length, 3, 'and then not so soon');
  dns.onApply = () => {};
  await clock.advance(1);
  await turns();
  t.same(dns.calls.at(-1), { revision: 6, delta: undefined }, 'how far it came is not known');
  t.same(consumers.acks, { dns: 6, vip: 6 });
});

t.test('a consumer that lost its state has nothing in force until it took everything again', async (t) => {
  const { consumers, dns } = await started(t);
  consumers.take(whole);
  await turns();
  dns.reset();
  t.same(consumers.acks, { dns: 0, vip: 5 });
  await turns();
  t.same(dns.calls.at(-1), { revision: 5, delta: undefined });
  t.same(consumers.acks, { dns: 5, vip: 5 });
});

for (const fate of ['resolves', 'rejects'] as const) {
  t.test(
    `a consumer that loses its state while a call that ${fate} is on its way is asked again`,
    async (t) => {
      const { consumers, dns, clock } = await started(t);
      consumers.take(whole);
      await turns();
      const slow = Promise.withResolvers<void>();
      dns.onApply = () => slow.promise;
      consumers.take(added);
      await turns();
      dns.reset();
      dns.onApply = () => {};
      if (fate === 'resolves') slow.resolve();
      else slow.reject(new Error('the worker is gone'));
      await turns();
      await clock.advance(50);
      await turns();
      t.same(
        dns.calls.map(({ revision, delta }) => [revision, delta?.from]),
        [
          [5, undefined],
          [6, 5],
          [6, undefined],
        ],
      );
      t.same(consumers.acks, { dns: 6, vip: 6 });
    },
  );
}

t.test('a Directory from disk is put in force like one from a master', async (t) => {
  const { consumers, dns } = await started(t);
  consumers.load(applyDelta(emptyDirectory, whole));
  await turns();
  t.same(dns.calls, [{ revision: 5, delta: undefined }]);
  t.same(consumers.acks, { dns: 5, vip: 5 });
});

t.test('what is in flight to instances that left is summed over the consumers', async (t) => {
  const { consumers, dns, vip } = await started(t);
  for (const delta of [whole, added, left]) consumers.take(delta);
  dns.carried.set('web.instance-a', 2).set('web.instance-c', 0);
  vip.carried.set('web.instance-a', 3).set('web.instance-b', 9);
  const { inFlight } = await consumers.status();
  t.same(inFlight, { 'web.instance-a': 5 }, 'not those that are there, and no zeros');
});

t.test('what is in flight is counted after the acknowledgement was read', async (t) => {
  const { consumers, dns } = await started(t);
  consumers.take(whole);
  await turns();
  const counting = Promise.withResolvers<void>();
  dns.onCount = () => counting.promise;
  const status = consumers.status();
  consumers.take(added);
  consumers.take(left);
  await turns();
  t.same(consumers.acks, { dns: 7, vip: 7 });
  dns.carried.set('web.instance-a', 1);
  counting.resolve();
  t.same(await status, { acks: { dns: 5, vip: 5 }, inFlight: { 'web.instance-a': 1 } });
});

t.test('a consumer that cannot count is not relied on, and holds up no report', async (t) => {
  const { consumers, dns, vip } = await started(t);
  for (const delta of [whole, added, left]) consumers.take(delta);
  await turns();
  dns.onCount = () => {
    throw new Error('the worker does not answer');
  };
  vip.carried.set('web.instance-a', 1);
  t.same(await consumers.status(), { acks: { dns: 0, vip: 7 }, inFlight: { 'web.instance-a': 1 } });
  dns.onCount = () => {};
  t.match(await consumers.status(), { acks: { dns: 7, vip: 7 } });
});

t.test('a consumer that was stopped gets nothing more', async (t) => {
  const { consumers, dns } = await started(t);
  await consumers.stop();
  consumers.take(whole);
  await turns();
  t.same(dns.calls, []);
});

async function started(t: { teardown(end: () => Promise<void>): unknown }) {
  const [dns, vip] = [new FakeConsumer('dns'), new FakeConsumer('vip')];
  const clock = new FakeClock();
  let acks = 0;
  const onAck = () => {
    acks += 1;
  };
  const consumers = new Consumers([dns, vip], { clock, log: silentLog, onAck });
  await consumers.start();
  t.teardown(() => consumers.stop());
  return { consumers, dns, vip, clock, acks: () => acks };
}
