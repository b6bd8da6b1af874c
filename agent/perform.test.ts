import t, { type Test } from 'tap';
import type { App } from '../core/model/app.ts';
import type { AgentDependencies } from './agent.ts';
import { ImageUnavailable } from './runtime.ts';
import type { FakeProgram } from './runtimes/fake/fake-machine.ts';
import { assignmentOf, keyOf } from './testing/assignments.ts';
import { TestWorld } from './testing/world.ts';

type Fault = {
  readonly what: string;
  /** Words that must reach the user. */
  readonly words: string;
  readonly program?: FakeProgram;
  readonly arrange?: (world: TestWorld, dependencies: AgentDependencies) => Partial<AgentDependencies>;
};

const pluginWords =
  'plugin type="bridge" failed (add): failed to allocate for range 0: no IP addresses available';

const faults: readonly Fault[] = [
  {
    what: 'its namespace cannot be made',
    words: 'No space left',
    arrange: failing('create', 'No space left'),
  },
  { what: 'its first network refuses', words: pluginWords, arrange: failing('attach blue', pluginWords) },
  { what: 'its second network refuses', words: pluginWords, arrange: failing('attach green', pluginWords) },
  {
    what: 'its specification cannot be made',
    words: 'Cannot launch /web: there is no value for secret "s"',
    arrange: () => ({ specsOf: rejects(new Error('Cannot launch /web: there is no value for secret "s"')) }),
  },
  {
    what: 'its image is missing',
    words: 'Cannot fetch image shop/web:9: manifest unknown',
    arrange: (_world, { runtime }) => ({
      runtime: replaced(runtime, 'create', rejects(new ImageUnavailable('shop/web:9', 'manifest unknown'))),
    }),
  },
  {
    what: 'its program is missing',
    words: `Cannot start container ${keyOf('a')}: no program "serve"`,
    program: { missing: 'no program "serve"' },
  },
];

for (const { what, words, program, arrange } of faults) {
  t.test(`a launch fails when ${what}: with those words, and nothing left`, async (t) => {
    const world = TestWorld.open(t, () => program ?? {});
    const own = world.dependencies();
    world.master.assign(assignmentOf('a'));
    await world.agent(t, { ...own, ...arrange?.(world, own) });
    await world.until(() => world.told('a')?.kind === 'ended');
    t.match(world.told('a'), { kind: 'ended', how: 'failed', reason: words });
    t.same(world.host.leftOf(keyOf('a')), []);
    t.equal(world.host.machine.containers.length + world.host.namespaces.size, 0);
  });
}

t.test('a launch that failed is not begun again: the scheduler decides that', async (t) => {
  const world = TestWorld.open(t, () => ({ missing: 'no program' }));
  world.master.assign(assignmentOf('a'));
  const agent = await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'ended');
  await world.clock.advance(60_000);
  t.match(agent.instances.get(keyOf('a'))?.state, { kind: 'ended' });
  t.equal(world.host.machine.containers.length, 0);
});

t.test('networks are joined in order, the host port is mapped on the first', async (t) => {
  const world = await running(t);
  t.match(
    [...world.host.attachments.values()],
    [
      {
        network: 'blue',
        ifName: 'eth0',
        netns: `/netns/${keyOf('a')}`,
        portMappings: [{ hostPort: 31_000, containerPort: 80, protocol: 'tcp' }],
      },
      { network: 'green', ifName: 'eth1', portMappings: [] },
    ],
  );
});

t.test('what is taken down is taken down in the order that leaves nothing hanging', async (t) => {
  const world = await running(t);
  const acts: string[] = [];
  world.host.before = (what, request) => acts.push([what, request?.network].filter(Boolean).join(' '));
  world.master.assign(assignmentOf('a', { goal: 'stop' }));
  await world.until(() => world.told('a')?.kind === 'ended');
  t.same(acts, ['detach green', 'detach blue', 'remove']);
});

for (const [said, seconds, grace] of [
  ['as the app says', 20, 20_000],
  ['3 s where it says nothing', undefined, 3_000],
] as const) {
  t.test(`a program that ignores SIGTERM is killed after its grace: ${said}`, async (t) => {
    const app = seconds === undefined ? {} : { taskKillGracePeriodSeconds: seconds };
    const world = await running(t, { ignoresTerm: true }, app);
    world.master.assign(assignmentOf('a', { goal: 'stop', app }));
    await world.until(() => world.told('a')?.kind === 'killing');
    const began = world.clock.now();
    await world.whileTimeGoesBy(() => world.told('a')?.kind === 'ended');
    t.match(world.told('a'), { how: 'killed', exitCode: 137, at: began + grace });
  });
}

t.test('a container that cannot be stopped is stopped again', async (t) => {
  const world = TestWorld.open(t);
  const { runtime } = world.dependencies();
  const stop = runtime.stop.bind(runtime);
  let calls = 0;
  runtime.stop = async (id, graceMs) => {
    calls += 1;
    if (calls === 1) throw new Error('the kernel does not let it go');
    return stop(id, graceMs);
  };
  world.master.assign(assignmentOf('a'));
  await world.agent(t, { runtime });
  await world.until(() => world.told('a')?.kind === 'running');
  world.master.assign(assignmentOf('a', { goal: 'stop' }));
  await world.until(() => world.told('a')?.kind === 'killing');
  await world.whileTimeGoesBy(() => world.told('a')?.kind === 'ended');
  t.equal(calls, 2);
  t.same(world.host.leftOf(keyOf('a')), []);
});

t.test('a container removed by hand is ended as asked', async (t) => {
  const world = await running(t);
  world.host.machine.remove(keyOf('a'));
  world.master.assign(assignmentOf('a', { goal: 'stop', reason: 'scaled down' }));
  await world.until(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), { how: 'killed', reason: 'scaled down' });
});

async function running(t: Test, program: FakeProgram = {}, app: Partial<App> = {}) {
  const world = TestWorld.open(t, () => program);
  world.master.assign(assignmentOf('a', { app }));
  await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'running');
  return world;
}

/** The host refuses one thing with these words. */
function failing(what: string, words: string): NonNullable<Fault['arrange']> {
  return (world) => {
    world.host.before = (act, request) => {
      if ([act, request?.network].filter(Boolean).join(' ') === what) throw new Error(words);
    };
    return {};
  };
}

function rejects(error: Error): () => Promise<never> {
  return async () => {
    throw error;
  };
}

function replaced<T extends object>(target: T, name: keyof T, value: T[keyof T]): T {
  target[name] = value;
  return target;
}
