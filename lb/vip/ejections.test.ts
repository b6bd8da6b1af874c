import t from 'tap';
import { table, vip } from './backend.contract.ts';
import { Ejections, withoutEjected } from './ejections.ts';

const key = 'tcp:10.0.0.1:80';
const target = (n: number) => ({ instanceId: `i${n}`, address: `10.0.0.${n}`, port: 80 });

t.test('a backend that fails is left alone for a second, then twice as long each time', async (t) => {
  const ejections = new Ejections();
  let now = 0;
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    t.ok(ejections.failed(key, now));
    t.notOk(ejections.failed(key, now + 1), 'failures of one moment count once');
    t.same([...ejections.active(now + seconds * 1_000 - 1)], [key]);
    t.equal(ejections.active(now + seconds * 1_000).size, 0);
    now += seconds * 1_000;
  }
  t.ok(ejections.expired(now - 1, now));
  now += 60_000;
  t.ok(ejections.failed(key, now));
  t.equal(ejections.active(now + 1_000).size, 0, 'after a good minute it begins anew');
});

t.test('a backend that is asked before clients are stays away until it answers', async (t) => {
  const ejections = new Ejections();
  ejections.failed(key, 0);
  t.same(ejections.hold(0, 999), [], 'not before its time is over');
  t.same(ejections.hold(0, 1_000), [key]);
  t.same(ejections.hold(0, 1_001), [], 'once');
  t.notOk(ejections.expired(0, 1_001), 'it is not back');
  t.same([...ejections.active(5_000)], [key]);
  t.ok(ejections.asked(key, false, 5_000));
  t.same([...ejections.active(6_999)], [key], 'twice as long');
  t.same(ejections.hold(6_999, 7_000), [key]);
  t.ok(ejections.asked(key, true, 7_001));
  t.equal(ejections.active(7_001).size, 0);
  t.ok(ejections.failed(key, 8_000));
  t.same([...ejections.active(11_999)], [key], 'its failures are remembered');
});

t.test('who comes to the place of one that was left alone begins anew', async (t) => {
  const ejections = new Ejections();
  ejections.failed(key, 0);
  t.same(ejections.hold(0, 1_000), [key]);
  ejections.forget(key);
  t.equal(ejections.active(1_000).size, 0);
  t.notOk(ejections.asked(key, false, 1_500), 'what the former one says is of no interest');
  t.ok(ejections.failed(key, 2_000));
  t.equal(ejections.active(3_000).size, 0, 'for a second, as at first');
});

t.test('a table goes without ejected backends, but never without all', async (t) => {
  const [one, two] = [
    vip('tcp', '100.64.0.1', 80, [target(1), target(2)]),
    vip('tcp', '100.64.0.2', 80, [target(1)]),
  ];
  const before = table(one, two);
  t.equal(withoutEjected(before, new Set()), before);
  t.equal(withoutEjected(before, new Set(['udp:10.0.0.1:80'])), before);
  const after = [...withoutEjected(before, new Set([key])).services.values()];
  t.same(
    after.map(({ backends }) => backends),
    [[target(2)], [target(1)]],
  );
});
