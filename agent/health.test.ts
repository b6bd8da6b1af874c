import t, { type Test } from 'tap';
import { FakeClock } from '../core/kit/fake-clock.ts';
import type { HealthCheck } from '../core/model/health-check.ts';
import { HealthChecks, judged } from './health.ts';
import { Instances } from './instances.ts';
import type { Verdict } from './probe.ts';
import { assignmentOf, checkOf, keyOf, recordOf } from './testing/assignments.ts';
import { turns } from './testing/eventually.ts';
import { MemoryJournal } from './testing/memory-journal.ts';

const key = keyOf('a');

t.test('a check of the node waits for its delay, one of the scheduler does not', async (t) => {
  const node = await probing(t, { protocol: 'MESOS_HTTP', delaySeconds: 7 });
  await node.at(6.999);
  t.same(node.probed, []);
  await node.at(7);
  t.same(node.probed, [7]);
  const scheduler = await probing(t, { protocol: 'HTTP', delaySeconds: 7 });
  await scheduler.at(0);
  t.same(scheduler.probed, [0]);
});

t.test('an instance that is up is probed at its interval', async (t) => {
  const { probed, health, at } = await probing(t, { intervalSeconds: 10 });
  await at(30);
  t.same(probed, [0, 10, 20, 30]);
  t.match(health(), { alive: true, consecutiveFailures: 0 });
});

t.test(
  'during its grace one that was never up is tried again soon, then less soon, and nothing counts',
  async (t) => {
    const world = await probing(t, { gracePeriodSeconds: 60, intervalSeconds: 1 }, 'refused');
    await world.at(3);
    t.same(world.probed, [0, 0.1, 0.3, 0.7, 1.5, 2.5]);
    t.equal(world.health(), null);
    world.script.answer = undefined;
    await world.at(3.5);
    t.match(world.health(), { alive: true, consecutiveFailures: 0 });
  },
);

t.test('after its grace failures count', async (t) => {
  const world = await probing(t, { gracePeriodSeconds: 2, intervalSeconds: 1 }, 'refused');
  await world.at(1.5);
  t.equal(world.health(), null);
  await world.at(2.5);
  t.match(world.health(), { alive: false, consecutiveFailures: 1, lastFailureCause: 'refused' });
});

t.test('the grace is over with the first success', async (t) => {
  const world = await probing(t, { gracePeriodSeconds: 60, intervalSeconds: 1, maxConsecutiveFailures: 2 });
  await world.at(1);
  world.script.answer = 'refused';
  await world.at(2);
  t.match(world.health(), { alive: false, consecutiveFailures: 1 });
  await world.at(3);
  t.match(world.health(), { alive: false, consecutiveFailures: 2 });
});

t.test('a success between failures begins the count anew', async (t) => {
  const world = await probing(t, { intervalSeconds: 1, maxConsecutiveFailures: 3 });
  for (const [second, answer] of ['x', 'x', undefined, 'x', 'x', undefined].entries()) {
    world.script.answer = answer;
    await world.at(second);
  }
  t.match(world.health(), { alive: true, consecutiveFailures: 0 });
});

t.test(
  'an instance is probed on however often it failed: whether it ends is not for its agent to say',
  async (t) => {
    const world = await probing(t, { intervalSeconds: 1, maxConsecutiveFailures: 2 }, 'refused');
    await world.at(9);
    t.match(world.health(), { alive: false, consecutiveFailures: 10 });
  },
);

t.test('a probe that has nothing to judge by changes nothing', async (t) => {
  const world = await probing(t, { intervalSeconds: 1 });
  await world.at(1);
  const before = world.health();
  world.script.answer = null;
  await world.at(3);
  t.same(world.probed, [0, 1, 2, 3]);
  t.same(world.health(), before);
});

t.test('a result keeps when the first success was', async (t) => {
  const up = judged(judged(null, undefined, 1), undefined, 2);
  t.same(up, { alive: true, consecutiveFailures: 0, firstSuccess: 1, lastSuccess: 2 });
  t.same(judged(judged(up, 'refused', 3), 'no answer', 4), {
    alive: false,
    consecutiveFailures: 2,
    firstSuccess: 1,
    lastSuccess: 2,
    lastFailure: 4,
    lastFailureCause: 'no answer',
  });
});

t.test('every check of an instance has its own count', async (t) => {
  const world = await probing(t, {}, undefined, [checkOf({ path: '/a' }), checkOf({ path: '/b' })]);
  await world.at(0);
  t.match(world.state()?.kind === 'running' && world.state(), { health: [{ alive: true }, { alive: true }] });
});

t.test('a verdict is kept for who adopts the instance, before it is told', async (t) => {
  const world = await probing(t, { intervalSeconds: 1 });
  const kept = () => {
    const state = world.journal.records.get(key)?.state;
    return state?.kind === 'running' ? state.health[0] : undefined;
  };
  await world.at(3);
  t.match(kept(), { alive: true, firstSuccess: Number, lastSuccess: world.began });
  t.match(world.health(), { lastSuccess: world.began + 3_000 }, 'the same verdict again is only told');
  world.script.answer = 'refused';
  await world.at(4);
  t.match(kept(), { alive: false, consecutiveFailures: 1 });
});

t.test('a disk that is full does not end the checks', async (t) => {
  const world = await probing(t, { intervalSeconds: 1 });
  world.journal.isFull = true;
  world.script.answer = 'refused';
  await world.at(1);
  t.match(world.health(), { alive: false });
  world.script.answer = undefined;
  await world.at(2);
  t.match(world.health(), { alive: true });
});

t.test('the delay of an instance that is adopted is over', async (t) => {
  const world = await probing(t, { protocol: 'MESOS_HTTP', delaySeconds: 7, intervalSeconds: 5 });
  await world.at(8);
  world.checks.stop();
  world.checks.follow();
  await world.at(8.1);
  t.same(world.probed, [7, 8], 'it is probed at once');
});

t.test('a probe that throws is a failure', async (t) => {
  const world = await probing(t, {});
  world.script.throws = new Error('socket hang up');
  await world.at(10);
  t.match(world.health(), { alive: false, lastFailureCause: /socket hang up/ });
});

t.test('nothing is probed after the end, and an answer that was on its way says nothing', async (t) => {
  const world = await probing(t, { intervalSeconds: 1 });
  await world.at(1);
  const late = Promise.withResolvers<void>();
  world.script.wait = late.promise;
  await world.at(2);
  const ended = { kind: 'ended', at: 0, how: 'failed', reason: 'exit code 3' } as const;
  world.instances.observe(key, { state: ended });
  world.checks.follow();
  late.resolve();
  await world.at(60);
  t.same(world.probed, [0, 1, 2]);
  t.same(world.state(), ended);
});

/** Checks of one running instance; `at`: seconds after it began to run. */
async function probing(
  t: Test,
  fields: Partial<HealthCheck>,
  answer?: Verdict,
  healthChecks = [checkOf(fields)],
) {
  const clock = new FakeClock();
  const began = clock.now();
  const journal = new MemoryJournal();
  const instances = new Instances(journal, () => {});
  const health = healthChecks.map(() => null);
  const state = { kind: 'running', since: began, addresses: [], health } as const;
  await instances.put(
    key,
    recordOf('a', { assignment: assignmentOf('a', { app: { healthChecks } }), state }),
  );
  const probed: number[] = [];
  /** What the next probes give. */
  const script: { answer: Verdict; throws?: Error; wait?: Promise<void> } = { answer };
  const checks = new HealthChecks({
    instances,
    clock,
    probe: async () => {
      probed.push((clock.now() - began) / 1_000);
      await script.wait;
      if (script.throws !== undefined) throw script.throws;
      return script.answer;
    },
  });
  const now = () => instances.get(key)?.state;
  const at = async (seconds: number) => {
    await clock.advance(began + Math.round(seconds * 1_000) - clock.now());
    await turns();
  };
  checks.follow();
  t.teardown(() => checks.stop());
  await turns();
  const first = () => {
    const running = now();
    return running?.kind === 'running' ? running.health[0] : undefined;
  };
  return { began, instances, journal, checks, script, probed, at, state: now, health: first };
}
