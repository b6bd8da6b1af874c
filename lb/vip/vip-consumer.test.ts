import t from 'tap';
import { FakeClock } from '../../core/kit/fake-clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import { FakeVipBackend } from './backends/fake.ts';
import type { VipService } from './table.ts';
import { endpoint, noDirectory, revised, tcpVip } from './testing/directories.ts';
import { VipConsumer } from './vip-consumer.ts';

const web = tcpVip('100.64.0.1', 80, '/web');
const [first, second] = [1, 2].map((n) => endpoint('/web', n, { address: `10.0.0.${n}`, port: 80 }));

function create() {
  const backend = new FakeVipBackend();
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
  return { backend, warnings, consumer: new VipConsumer({ backend, log }) };
}

t.test('the vip consumer acknowledges a revision when the data plane has it', async (t) => {
  const { backend, consumer } = create();
  await consumer.start();
  const directory = revised(noDirectory, { vips: [web], endpoints: [first!] });
  t.equal(await consumer.apply(directory), 2);
  t.equal(backend.connect(web)?.instanceId, first!.instanceId);
  t.match(consumer.status(), {
    backend: 'fake',
    revision: 2,
    services: [{ key: 'tcp:100.64.0.1:80', names: ['web.weir'], backends: [{ address: '10.0.0.1' }] }],
    problems: [],
  });
});

t.test('the vip consumer keeps the old revision when the data plane refuses', async (t) => {
  const { backend, consumer } = create();
  const directory = revised(noDirectory, { vips: [web], endpoints: [first!] });
  backend.failure = new Error('no');
  await t.rejects(consumer.apply(directory), { message: 'no' });
  t.equal(consumer.status().revision, 0);
  t.equal(await consumer.apply(directory), 2);
});

t.test('the vip consumer counts connections to instances that left, until they are closed', async (t) => {
  const { backend, consumer } = create();
  const both = revised(noDirectory, { vips: [web], endpoints: [first!, second!] });
  await consumer.apply(both);
  const targets = [backend.connect(web)!, backend.connect(web)!];
  t.same([...(await consumer.inFlight())], [], 'nothing has left');
  await consumer.apply(revised(both, { gone: [first!.instanceId] }));
  t.same([...(await consumer.inFlight())], [[first!.instanceId, 1]]);
  backend.hangUp('tcp', targets.find((target) => target.instanceId === first!.instanceId)!);
  t.same([...(await consumer.inFlight())], []);
});

t.test(
  'the vip consumer counts connections to an instance that drains, also where it is in use still',
  async (t) => {
    const { backend, consumer } = create();
    const both = revised(noDirectory, { vips: [web], endpoints: [first!, second!] });
    await consumer.apply(both);
    for (let n = 0; n < 20; n++) backend.connect(web);
    const draining = { ...first!, ready: false, draining: { until: 1 } };
    const one = revised(both, { endpoints: [draining] });
    await consumer.apply(one);
    const counts = await consumer.inFlight();
    t.same([...counts.keys()], [first!.instanceId]);
    t.ok(counts.get(first!.instanceId)! > 0);
    t.equal(backend.connect(web)?.instanceId, second!.instanceId);
    const alone = revised(one, { gone: [second!.instanceId] });
    await consumer.apply(alone);
    t.equal(backend.connect(web)?.instanceId, first!.instanceId, 'nobody else is left');
    t.equal((await consumer.inFlight()).get(first!.instanceId), counts.get(first!.instanceId)! + 1);
  },
);

t.test('the vip consumer remembers an instance that was unhealthy before it left', async (t) => {
  const { backend, consumer } = create();
  const ready = revised(noDirectory, { vips: [web], endpoints: [first!] });
  await consumer.apply(ready);
  backend.connect(web);
  const unhealthy = revised(ready, { endpoints: [{ ...first!, ready: false }] });
  await consumer.apply(unhealthy);
  t.same([...(await consumer.inFlight())], [], 'it is still in the Directory');
  await consumer.apply(revised(unhealthy, { gone: [first!.instanceId] }));
  t.same([...(await consumer.inFlight())], [[first!.instanceId, 1]]);
});

t.test('the vip consumer counts a UDP backend that left for as long as an answer may take', async (t) => {
  const clock = new FakeClock();
  const consumer = new VipConsumer({ backend: new FakeVipBackend(), log: silentLog, clock });
  const dns = { ...web, protocol: 'udp' } as const;
  const there = revised(noDirectory, { vips: [dns], endpoints: [first!, second!] });
  await consumer.apply(there);
  const gone = revised(there, { gone: [first!.instanceId] });
  await consumer.apply(gone);
  t.same([...(await consumer.inFlight())], [[first!.instanceId, 1]]);
  await clock.advance(999);
  t.same([...(await consumer.inFlight())], [[first!.instanceId, 1]]);
  await clock.advance(1);
  t.same([...(await consumer.inFlight())], []);
});

t.test('the vip consumer does not count an instance that came back', async (t) => {
  const { backend, consumer } = create();
  const there = revised(noDirectory, { vips: [web], endpoints: [first!] });
  await consumer.apply(there);
  backend.connect(web);
  const gone = revised(there, { gone: [first!.instanceId] });
  await consumer.apply(gone);
  await consumer.apply(revised(gone, { endpoints: [first!] }));
  t.same([...(await consumer.inFlight())], []);
});

t.test('the vip consumer reports a problem once and shows it with its service', async (t) => {
  const { warnings, consumer } = create();
  const agent = { id: 'one', hostname: 'one', address: '100.64.0.1', master: false };
  const directory = revised(noDirectory, { vips: [web], endpoints: [first!], agents: [agent] });
  await consumer.apply(directory);
  await consumer.apply(revised(directory, { endpoints: [second!] }));
  t.equal(warnings.length, 1);
  t.match(consumer.status(), { services: [], problems: [{ key: 'tcp:100.64.0.1:80', reason: /an agent/ }] });
});

t.test('the vip consumer with a clock audits a data plane that others can change', async (t) => {
  const clock = new FakeClock();
  const drift = [{ what: 'a chain is missing', repaired: true }];
  const backend = Object.assign(new FakeVipBackend(), { audit: async () => drift });
  const consumer = new VipConsumer({ backend, log: silentLog, clock });
  await consumer.start();
  while (clock.sleeping === 0) await new Promise(setImmediate);
  t.match(consumer.status().audit, { at: clock.now(), drift, found: 1 });
  await consumer.stop();
  t.equal(clock.sleeping, 0);
  const alone = new VipConsumer({ backend: new FakeVipBackend(), log: silentLog, clock });
  t.equal(alone.status().audit, undefined);
});

t.test('the vip consumer still counts an instance that left before a restart', async (t) => {
  const backend = new FakeVipBackend();
  let text: string | undefined;
  let writes = 0;
  const memory = {
    read: async () => text,
    write: async (next: string) => {
      text = next;
      writes++;
    },
  };
  const life = async () => {
    const consumer = new VipConsumer({ backend, log: silentLog, memory });
    await consumer.start();
    return consumer;
  };
  const there = revised(noDirectory, { vips: [web], endpoints: [first!, second!] });
  const gone = revised(there, { gone: [first!.instanceId] });
  const before = await life();
  await before.apply(there);
  const targets = [backend.connect(web)!, backend.connect(web)!];
  t.equal(writes, 0, 'nobody left');
  await before.apply(gone);
  const after = await life();
  await after.apply(gone);
  t.same([...(await after.inFlight())], [[first!.instanceId, 1]]);
  t.equal(writes, 1);
  backend.hangUp('tcp', targets.find((target) => target.instanceId === first!.instanceId)!);
  t.same([...(await after.inFlight())], []);
  t.equal(text, '[]', 'and it is forgotten');
  text = 'no json [';
  t.same([...(await (await life()).inFlight())], []);
});

t.test('the vip consumer acknowledges although the memory fails', async (t) => {
  const memory = { read: async () => undefined, write: () => Promise.reject(new Error('disk full')) };
  const consumer = new VipConsumer({ backend: new FakeVipBackend(), log: silentLog, memory });
  const there = revised(noDirectory, { vips: [web], endpoints: [first!] });
  await consumer.apply(there);
  t.equal(await consumer.apply(revised(there, { gone: [first!.instanceId] })), there.revision + 1);
});

t.test(
  'the vip consumer says once, and in its status, which services are not chosen from as they ask',
  async (t) => {
    const { backend, warnings } = create();
    const packets = Object.assign(backend, {
      chosenBy: ({ balance }: VipService) => (balance === 'least-connections' ? 'random' : undefined),
    });
    const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
    const consumer = new VipConsumer({ backend: packets, log });
    const least = { ...web, balance: 'least-connections' } as const;
    const directory = revised(noDirectory, { vips: [least], endpoints: [first!] });
    await consumer.apply(directory);
    await consumer.apply(revised(directory, { endpoints: [second!] }));
    t.same(warnings, ['vip: Serves tcp:100.64.0.1:80 by random: fake cannot choose by least-connections']);
    t.match(consumer.status(), {
      services: [{ balance: 'least-connections', chosenBy: 'random' }],
      problems: [],
    });
    await consumer.apply(revised(directory, { vips: [web] }));
    t.equal(consumer.status().services[0]?.chosenBy, undefined);
  },
);
