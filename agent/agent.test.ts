import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AgentReport } from '../core/model/master-port.ts';
import { assignmentOf, keyOf } from './testing/assignments.ts';
import { turns } from './testing/eventually.ts';
import { TestWorld } from './testing/world.ts';

t.test('an agent launches what it is assigned and tells each step', async (t) => {
  const world = TestWorld.open(t);
  world.master.assign(assignmentOf('a'));
  await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'running');
  t.match(world.told('a'), {
    kind: 'running',
    addresses: [
      { network: 'blue', ip: '100.64.0.1' },
      { network: 'green', ip: '100.64.0.2' },
    ],
  });
  t.match(world.host.machine.find(keyOf('a')), { state: { kind: 'running' } });
});

t.test('an agent stops, cleans and forgets', async (t) => {
  const { world } = await runningOne(t);
  world.master.say({ kind: 'assignment', set: assignmentOf('a', { goal: 'stop', reason: 'scaled down' }) });
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), { how: 'killed', reason: 'scaled down', exitCode: 143 });
  t.same(world.host.leftOf(keyOf('a')), []);
  t.same(await recordsOf(world), [`${keyOf('a')}.json`], 'the master has not forgotten it yet');

  world.master.say({ kind: 'assignment-gone', instanceId: 'web.instance-a' });
  let records = await recordsOf(world);
  while (records.length > 0) records = await recordsOf(world);
  t.same(records, []);
});

t.test('an agent stops nothing before the master has spoken, and goes on without one', async (t) => {
  const { world, agent } = await runningOne(t);
  await agent.stop();
  world.master.reachable = false;
  const again = await world.agent(t);
  await world.clock.advance(60_000);
  await turns();
  t.match(again.instances.get(keyOf('a'))?.state, { kind: 'running' });

  world.master.reachable = true;
  world.master.assign();
  await world.whileTimeGoesBy(() => world.host.leftOf(keyOf('a')).length === 0);
  t.pass('an orphan is stopped as soon as the master says what it wants');
});

t.test('a stop interrupts a launch, and takes down what was attached meanwhile', async (t) => {
  const world = TestWorld.open(t);
  const attaching = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  world.host.before = (what) => {
    if (what !== 'attach') return undefined;
    reached.resolve();
    return attaching.promise;
  };
  world.master.assign(assignmentOf('a'));
  await world.agent(t);
  await reached.promise;
  world.master.assign(assignmentOf('a', { goal: 'stop' }));
  const heartbeats = world.master.reports.length + 30;
  await world.whileTimeGoesBy(() => world.master.reports.length >= heartbeats);
  t.not(world.told('a')?.kind, 'ended', 'the attachment is still being made');
  attaching.resolve();
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), { how: 'killed', reason: 'stopped while it was being started' });
  t.same(world.host.leftOf(keyOf('a')), []);
});

t.test('a stop interrupts a fetch at once', async (t) => {
  const world = TestWorld.open(t);
  const { runtime } = world.dependencies();
  const reached = Promise.withResolvers<void>();
  runtime.create = (_spec, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      reached.resolve();
    });
  world.master.assign(assignmentOf('a'));
  await world.agent(t, { runtime });
  await reached.promise;
  world.master.assign(assignmentOf('a', { goal: 'stop' }));
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), { how: 'killed' });
  t.same(world.host.leftOf(keyOf('a')), []);
});

t.test('what is to end before it began is declined without touching the machine', async (t) => {
  const world = TestWorld.open(t);
  world.host.before = (what) => t.fail(`nothing is to be done, not even ${what}`);
  world.master.assign(assignmentOf('a', { goal: 'stop' }));
  await world.agent(t);
  await world.until(() => world.told('a') !== undefined);
  t.match(world.told('a'), { kind: 'ended', how: 'killed', reason: 'stopped before it was started' });
});

for (const [exitCode, how] of [
  [0, 'finished'],
  [3, 'failed'],
] as const) {
  t.test(`a program that ends by itself with ${exitCode} is told ${how}, after its clean-up`, async (t) => {
    const { world } = await runningOne(t);
    world.host.machine.end(keyOf('a'), exitCode);
    await world.until(() => world.told('a')?.kind === 'ended');
    t.match(world.told('a'), { how, exitCode });
    t.same(world.host.leftOf(keyOf('a')), []);
  });

  t.test(`a program that ended with ${exitCode} while no agent looked is told ${how}`, async (t) => {
    const { world, agent } = await runningOne(t);
    await agent.stop();
    world.host.machine.end(keyOf('a'), exitCode);
    await world.agent(t);
    await world.until(() => world.told('a')?.kind === 'ended');
    t.match(world.told('a'), { how, exitCode });
  });
}

t.test('a program that ends while it is being started is told as it ended', async (t) => {
  const world = TestWorld.open(t, () => ({ exitCode: 3 }));
  world.master.assign(assignmentOf('a'));
  await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), { how: 'failed', reason: 'exit code 3' });
});

t.test('an end is told only when its address is free, and once it lingers', async (t) => {
  const { world } = await runningOne(t);
  let broken = true;
  world.host.before = (what) => {
    if (what === 'detach' && broken) throw new Error('the plugin hangs');
  };
  const atOnce: AgentReport[] = [];
  world.master.onReport = (report: AgentReport) => atOnce.push(report);
  world.host.machine.end(keyOf('a'), 3);
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(atOnce[0]?.instances[0]?.state, { kind: 'killing' }, 'first it is only on its way');
  t.not(world.host.leftOf(keyOf('a')).length, 0, 'it is told although it could not be taken down');

  const told = world.master.reports.length;
  await world.clock.advance(3_000);
  await world.whileTimeGoesBy(() => world.master.reports.length >= told + 3);
  t.ok(world.master.reports.slice(told).every(({ instances }) => instances.length === 0));

  broken = false;
  await world.whileTimeGoesBy(() => world.host.leftOf(keyOf('a')).length === 0);
  t.pass('it is tried again until it works');
});

t.test('an end that can never be seen makes the agent look again', async (t) => {
  const world = TestWorld.open(t);
  const { runtime } = world.dependencies();
  const exits = runtime.exits.bind(runtime);
  let calls = 0;
  runtime.exits = (signal) => {
    calls += 1;
    if (calls === 1) throw new Error('too many open files');
    return exits(signal);
  };
  world.master.assign(assignmentOf('a'));
  await world.agent(t, { runtime });
  await world.until(() => world.told('a')?.kind === 'running');
  world.host.machine.end(keyOf('a'), 3);
  await world.whileTimeGoesBy(() => world.told('a')?.kind === 'ended');
  t.equal(calls, 2);
});

t.test('another attempt takes the place of the one before', async (t) => {
  const { world } = await runningOne(t);
  world.master.say({ kind: 'assignment', set: assignmentOf('a', { attempt: 2 }) });
  await world.until(() => world.host.machine.find(keyOf('a', 2))?.state.kind === 'running');
  await world.until(() => world.host.leftOf(keyOf('a', 1)).length === 0);
  t.pass('the first is stopped, the second runs');
});

t.test('a container on the host needs no namespace and no address', async (t) => {
  const world = TestWorld.open(t);
  world.host.before = (what) => t.fail(`${what} is for containers`);
  world.master.assign(assignmentOf('a', { app: { networks: [{ mode: 'host' }] } }));
  const agent = await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'running');
  t.match(world.told('a'), { addresses: [] });
  t.equal(agent.instances.get(keyOf('a'))?.netns, undefined);
  world.master.assign(assignmentOf('a', { goal: 'stop' }));
  await world.until(() => world.told('a')?.kind === 'ended');
});

t.test('an agent that cannot write records launches nothing, and does so when it can', async (t) => {
  const world = TestWorld.open(t);
  const records = join(world.dataDir, 'instances');
  let tries = 0;
  await world.agent(t, {
    namespaceName: (key) => {
      tries += 1;
      return key;
    },
  });
  await world.until(() => world.master.connections.length === 1);
  await rm(records, { recursive: true });
  world.master.assign(assignmentOf('a'));
  await world.until(() => tries > 0);
  await turns(1_000);
  t.equal(tries, 1, 'it does not spin');
  t.same(world.host.leftOf(keyOf('a')), []);
  await mkdir(records);
  await world.whileTimeGoesBy(() => world.told('a')?.kind === 'running');
});

t.test('an agent answers questions, with a value or with what went wrong', async (t) => {
  const world = TestWorld.open(t);
  await world.agent(t, {
    answer: async (question) => {
      if (question.kind !== 'explain-name') throw new Error('there is no instance x here');
      return { name: question.name };
    },
  });
  await world.until(() => world.master.connections.length === 1);
  world.master.say(
    { kind: 'question', id: 'q1', question: { kind: 'explain-name', name: 'web.weir', type: 'A' } },
    { kind: 'question', id: 'q2', question: { kind: 'log', instanceId: 'x', stream: 'both', tail: 9 } },
  );
  await world.until(() => world.master.answers.length === 2);
  t.same(world.master.answers, [
    { id: 'q1', answer: { value: { name: 'web.weir' } } },
    { id: 'q2', answer: { error: 'there is no instance x here' } },
  ]);
});

t.test('an agent hands on networks and leases as they are', async (t) => {
  const world = TestWorld.open(t);
  await world.agent(t);
  await world.until(() => world.master.connections.length === 1);
  world.master.say({ kind: 'networks', networks: [], leases: [] });
  await world.until(() => world.host.networkUpdates.length === 1);
  t.same(world.host.networkUpdates, [[[], []]]);
});

async function runningOne(t: Test) {
  const world = TestWorld.open(t);
  world.master.assign(assignmentOf('a'));
  const agent = await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'running');
  return { world, agent };
}

function recordsOf(world: TestWorld): Promise<readonly string[]> {
  return readdir(join(world.dataDir, 'instances'));
}
