import t from 'tap';
import { silentLog } from '../core/kit/log.ts';
import type { InstanceState } from '../core/model/instance.ts';
import { type Adoption, adoptAll, adoption } from './adopt.ts';
import { Instances } from './instances.ts';
import { Journal } from './journal.ts';
import type { Container, ContainerState } from './runtime.ts';
import { FakeRuntime } from './runtimes/fake/fake-runtime.ts';
import { assignmentOf, checkOf, epoch, keyOf, recordOf } from './testing/assignments.ts';
import { specOf } from './testing/fake-host.ts';
import { TestWorld } from './testing/world.ts';

const records = {
  staging: { kind: 'staging', step: 'starting', since: epoch },
  running: { kind: 'running', since: epoch, addresses: [], health: [] },
  killing: { kind: 'killing', since: epoch },
  ended: { kind: 'ended', at: epoch, how: 'failed', reason: 'exit code 3' },
} as const satisfies Record<string, InstanceState>;

const containers = {
  none: undefined,
  created: { kind: 'created' },
  running: { kind: 'running', pid: 7, since: epoch + 5 },
  'ended with 0': { kind: 'ended', end: { at: epoch + 9, exitCode: 0, oom: false, reason: 'exit code 0' } },
  'ended with 3': { kind: 'ended', end: { at: epoch + 9, exitCode: 3, oom: false, reason: 'exit code 3' } },
  'ended unseen': { kind: 'ended', end: { at: epoch + 9, oom: false, reason: 'nobody saw its end' } },
} as const satisfies Record<string, ContainerState | undefined>;

const keep = { kind: 'keep' } as const;
const halfStarted = {
  kind: 'ended',
  how: 'killed',
  reason: 'the agent was restarted while it was being started',
} as const;
const gone = {
  kind: 'ended',
  how: 'failed',
  reason: 'its container is gone (the machine was restarted, or it was removed by hand)',
} as const;
const stopped = { kind: 'ended', how: 'killed', reason: 'stopped' } as const;
const seen = { kind: 'ended', at: epoch + 9 } as const;

/** Every state on record with every state of its container. */
const table: Record<keyof typeof records, Record<keyof typeof containers, Adoption>> = {
  staging: {
    none: halfStarted,
    created: halfStarted,
    running: { kind: 'running', since: epoch + 5 },
    'ended with 0': halfStarted,
    'ended with 3': halfStarted,
    'ended unseen': halfStarted,
  },
  running: {
    none: gone,
    created: gone,
    running: keep,
    'ended with 0': { ...seen, how: 'finished', reason: 'exit code 0', exitCode: 0 },
    'ended with 3': { ...seen, how: 'failed', reason: 'exit code 3', exitCode: 3 },
    'ended unseen': { ...seen, how: 'failed', reason: 'nobody saw its end' },
  },
  killing: {
    none: stopped,
    created: stopped,
    running: keep,
    'ended with 0': { ...seen, how: 'killed', reason: 'exit code 0', exitCode: 0 },
    'ended with 3': { ...seen, how: 'killed', reason: 'exit code 3', exitCode: 3 },
    'ended unseen': { ...seen, how: 'killed', reason: 'nobody saw its end' },
  },
  ended: {
    none: keep,
    created: keep,
    running: keep,
    'ended with 0': keep,
    'ended with 3': keep,
    'ended unseen': keep,
  },
};

for (const [onRecord, row] of Object.entries(table)) {
  for (const [found, outcome] of Object.entries(row)) {
    t.test(`adoption of one on record as ${onRecord}, container ${found}: ${outcome.kind}`, async (t) => {
      const state = records[onRecord as keyof typeof records];
      const container = containerOf(containers[found as keyof typeof containers]);
      t.same(adoption(recordOf('a', { state }), container), outcome);
    });
  }
}

t.test(
  'adoptAll notes what began to run, keeps its address, and removes what belongs to no record',
  async (t) => {
    const { world, instances, runtime } = await opened(t.testdir());
    const addresses = [{ network: 'blue', ip: '100.64.0.9' }];
    const assignment = assignmentOf('a', { app: { healthChecks: [checkOf(), checkOf()] } });
    await instances.put(keyOf('a'), { ...recordOf('a', { state: records.staging, addresses }), assignment });
    await runtime.create(specOf(assignment));
    await runtime.start(keyOf('a'));
    await runtime.create(specOf(assignmentOf('stranger')));
    const since = world.clock.now();
    await world.clock.advance(1_000);

    await adoptAll(instances, runtime, { now: world.clock.now(), log: silentLog });

    t.same(instances.get(keyOf('a'))?.state, { kind: 'running', since, addresses, health: [null, null] });
    t.same(
      world.host.machine.containers.map(({ spec }) => spec.id),
      [keyOf('a')],
    );
  },
);

t.test('adoptAll goes on when a stranger cannot be removed', async (t) => {
  const { world, instances, runtime } = await opened(t.testdir());
  await runtime.create(specOf(assignmentOf('stranger')));
  await instances.put(keyOf('a'), recordOf('a'));
  runtime.remove = async () => {
    throw new Error('device or resource busy');
  };
  await adoptAll(instances, runtime, { now: world.clock.now(), log: silentLog });
  t.match(instances.get(keyOf('a'))?.state, { kind: 'ended', how: 'failed', at: world.clock.now() });
});

async function opened(folder: string) {
  const world = new TestWorld(folder);
  const instances = new Instances(new Journal(folder, silentLog), () => {});
  await instances.load();
  return { world, instances, runtime: new FakeRuntime({ machine: world.host.machine, clock: world.clock }) };
}

function containerOf(state: ContainerState | undefined): Container | undefined {
  return state && { id: keyOf('a'), labels: {}, logDir: '/logs/a', state };
}
