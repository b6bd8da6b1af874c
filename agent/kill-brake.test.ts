import t, { type Test } from 'tap';
import { FakeClock } from '../core/kit/fake-clock.ts';
import { HealthChecks } from './health.ts';
import { Instances } from './instances.ts';
import { assignmentOf, checkOf, keyOf, recordOf } from './testing/assignments.ts';
import { turns } from './testing/eventually.ts';
import { MemoryJournal } from './testing/memory-journal.ts';

const minute = 60;

t.test('one failing app of several is ended as ever', async (t) => {
  const node = await machine(t, 6);
  await node.fail(['a'], 1 * minute);
  t.same(node.ended(), ['a']);
  t.same(node.told, []);
});

t.test('when half of the apps turn unhealthy at once none is ended, and each says why', async (t) => {
  const node = await machine(t, 6);
  await node.fail(['a', 'b', 'c'], 1 * minute);
  t.same(node.ended(), []);
  const reason = '3 of 6 apps on this machine turned unhealthy at about the same time';
  t.same(node.told, [reason]);
  t.equal(node.cause('a'), `refused (not ended for it: ${reason})`);
  await node.fail([], 1 * minute);
  t.equal(node.cause('d'), undefined);
});

t.test('when most are well again, those that go on failing are ended', async (t) => {
  const node = await machine(t, 6);
  await node.fail(['a', 'b', 'c'], 1 * minute);
  await node.fail(['a'], 1 * minute);
  t.same(node.ended(), ['a']);
  t.equal(node.told.at(-1), undefined);
});

t.test('the brake lets go of a fault that stays', async (t) => {
  const node = await machine(t, 6);
  await node.fail(['a', 'b', 'c'], 10 * minute);
  t.same(node.ended(), []);
  await node.fail(['a', 'b', 'c'], 2 * minute);
  t.same(node.ended(), ['a', 'b', 'c']);
});

t.test('apps that were never healthy, and two of two, are no mass event', async (t) => {
  const fresh = await machine(t, 4, { isUp: false });
  await fresh.fail(['a', 'b', 'c', 'd'], 1 * minute);
  t.same(fresh.ended(), ['a', 'b', 'c', 'd']);
  const pair = await machine(t, 2);
  await pair.fail(['a', 'b'], 1 * minute);
  t.same(pair.ended(), ['a', 'b']);
});

t.test('an operator may switch the brake off', async (t) => {
  const node = await machine(t, 3, { brake: 'off' });
  await node.fail(['a', 'b', 'c'], 1 * minute);
  t.same(node.ended(), ['a', 'b', 'c']);
});

/** Apps `a`, `b`, … with an instance each, probed every ten seconds; the fourth failure in a row ends one. */
async function machine(t: Test, apps: number, options: { isUp?: boolean; brake?: 'off' } = {}) {
  const clock = new FakeClock();
  const instances = new Instances(new MemoryJournal(), () => {});
  await instances.load();
  const names = [...'abcdefgh'].slice(0, apps);
  const healthChecks = [checkOf()];
  for (const name of names) {
    const assignment = assignmentOf(name, { app: { id: `/${name}`, healthChecks }, appId: `/${name}` });
    const state = { kind: 'running', since: clock.now(), addresses: [], health: [null] } as const;
    await instances.put(keyOf(name), recordOf(name, { assignment, state }));
  }
  let failing: readonly string[] = options.isUp === false ? names.map((name) => `/${name}`) : [];
  const ended = new Set<string>();
  const told: (string | undefined)[] = [];
  const checks = new HealthChecks({
    instances,
    clock,
    probe: async ({ assignment }) => (failing.includes(assignment.app.id) ? 'refused' : undefined),
    onUnhealthy: (key) => ended.add(key),
    onHeldBack: (reason) => told.push(reason),
    ...(options.brake === undefined ? {} : { brake: options.brake }),
  });
  t.teardown(() => checks.stop());
  checks.follow();
  await turns();
  await clock.advance(0);
  await turns();
  return {
    told,
    ended: () => names.filter((name) => ended.has(keyOf(name))),
    cause: (name: string) => {
      const state = instances.get(keyOf(name))?.state;
      return state?.kind === 'running' ? state.health[0]?.lastFailureCause : undefined;
    },
    /** Just these fail for so many seconds. */
    async fail(apps: readonly string[], seconds: number) {
      failing = apps.map((name) => `/${name}`);
      for (let passed = 0; passed < seconds; passed += 10) {
        await clock.advance(10_000);
        await turns();
      }
    },
  };
}
