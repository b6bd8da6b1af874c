import t, { type Test } from 'tap';
import type { Agent } from './agent.ts';
import type { ContainerSpec } from './runtime.ts';
import type { FakeProgram } from './runtimes/fake/fake-machine.ts';
import { assignmentOf, checkOf, keyOf, podOf } from './testing/assignments.ts';
import { TestWorld } from './testing/world.ts';

const key = keyOf('a');
const web = `${key}.web`;
const side = `${key}.side`;
const pair = assignmentOf('a', { app: podOf('web', 'side') });

async function running(
  t: Test,
  programOf?: (spec: ContainerSpec) => FakeProgram,
): Promise<{ readonly world: TestWorld; readonly agent: Agent }> {
  const world = TestWorld.open(t, programOf);
  world.master.assign(pair);
  const agent = await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'running');
  return { world, agent };
}

t.test('a pod is attached once, and each of its containers runs', async (t) => {
  const { world } = await running(t);
  t.match(world.told('a'), {
    addresses: [{ network: 'blue' }, { network: 'green' }],
    containers: [
      { name: 'web', since: Number },
      { name: 'side', since: Number },
    ],
  });
  t.equal(world.host.attachments.size, 2, 'one for each network');
  t.same([...world.host.namespaces], [`/netns/${key}`]);
  t.same(world.host.volumes.folders.get(key), ['shared']);
  for (const id of [web, side]) t.match(world.host.machine.find(id), { state: { kind: 'running' } });
});

t.test('a pod ends with its instance, all of it', async (t) => {
  const { world } = await running(t);
  world.master.assign({ ...pair, placement: { ...pair.placement, goal: 'stop', reason: 'scaled down' } });
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), {
    ...{ how: 'killed', reason: 'scaled down' },
    containers: [
      { name: 'web', end: { how: 'killed', exitCode: 143 } },
      { name: 'side', end: { how: 'killed', exitCode: 143 } },
    ],
  });
  t.same(world.host.leftOf(key), []);
});

t.test(
  'when one container fails the others are stopped with their grace, and the failure is told',
  async (t) => {
    const { world } = await running(t);
    world.host.machine.end(side, 3);
    await world.until(() => world.told('a')?.kind === 'ended');
    t.match(world.told('a'), {
      ...{ how: 'failed', reason: 'container side: exit code 3', exitCode: 3 },
      containers: [
        { name: 'web', end: { how: 'killed', exitCode: 143 } },
        { name: 'side', end: { how: 'failed', exitCode: 3 } },
      ],
    });
    t.same(world.host.leftOf(key), []);
  },
);

t.test('a container that finishes leaves the others running; when all have, the pod has', async (t) => {
  const { world } = await running(t);
  world.host.machine.end(side, 0);
  const sideEnd = () => {
    const state = world.told('a');
    return state?.kind === 'running' ? state.containers?.[1]?.end : undefined;
  };
  await world.until(() => sideEnd() !== undefined);
  t.match(sideEnd(), { how: 'finished', exitCode: 0 });
  t.match(world.host.machine.find(web), { state: { kind: 'running' } });
  world.host.machine.end(web, 0);
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), { how: 'finished', reason: 'all of its containers have finished' });
});

t.test('a container that fails while the next is started ends the pod', async (t) => {
  const world = TestWorld.open(t, ({ id }) => (id === web ? { exitCode: 5 } : {}));
  world.master.assign(pair);
  await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), { how: 'failed', reason: 'container web: exit code 5', exitCode: 5 });
  t.same(world.host.leftOf(key), []);
});

t.test('a container that cannot be started takes back those that were', async (t) => {
  const world = TestWorld.open(t, ({ id }) => (id === side ? { missing: 'no such program' } : {}));
  world.master.assign(pair);
  await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), { how: 'failed', reason: /side: no such program/ });
  t.same(world.host.leftOf(key), []);
});

t.test('a restarted agent adopts a pod that is whole', async (t) => {
  const { world, agent } = await running(t);
  await agent.stop();
  const again = await world.agent(t);
  t.match(again.instances.get(key), { state: { kind: 'running' }, containers: [{ name: 'web' }, {}] });
  t.match(world.host.machine.find(web), { state: { kind: 'running' } });
});

t.test('a container that failed while there was no agent ends the pod, even without a master', async (t) => {
  const { world, agent } = await running(t);
  await agent.stop();
  world.master.reachable = false;
  world.host.machine.end(side, 3);
  const again = await world.agent(t);
  await world.until(() => again.instances.get(key)?.cleaned === true);
  t.match(again.instances.get(key), { state: { how: 'failed', reason: 'container side: exit code 3' } });
  t.same(world.host.leftOf(key), []);
});

t.test('a pod of which a container is gone is removed', async (t) => {
  const { world, agent } = await running(t);
  await agent.stop();
  world.host.machine.remove(side);
  const again = await world.agent(t);
  await world.until(() => again.instances.get(key)?.cleaned === true);
  t.match(again.instances.get(key), { state: { how: 'failed', reason: /^its container is gone/ } });
  t.same(world.host.leftOf(key), []);
});

t.test('a container that has finished is not asked for its health', async (t) => {
  const world = TestWorld.open(t);
  const check = checkOf({ container: 'side', maxConsecutiveFailures: 1 });
  world.master.assign(assignmentOf('a', { app: { ...podOf('web', 'side'), healthChecks: [check] } }));
  await world.agent(t, { probe: async () => undefined });
  await world.until(() => world.told('a')?.kind === 'running');
  world.host.machine.end(side, 0);
  await world.whileTimeGoesBy(() => {
    const state = world.told('a');
    return state?.kind === 'running' && state.health[0]?.alive === true;
  });
  t.match(world.host.machine.find(web), { state: { kind: 'running' } });
});
