import { join } from 'node:path';
import type { Test } from 'tap';
import {
  type Container,
  type ContainerEnd,
  type ContainerRuntime,
  type ContainerSpec,
  ExecFailed,
  type LogLine,
  type Mount,
  NoSuchContainer,
  NotRunning,
  StartFailed,
} from './runtime.ts';

/** Shell lines the suite runs; an implementation without a shell acts as if it ran them. */
export const contractPrograms = {
  runs: 'echo ready; exec sleep 300',
  exits3: 'exit 3',
  exits0: 'exit 0',
  crashes: "sh -c 'kill -SEGV $$'; exit $?",
  ignoresTerm: "trap '' TERM; echo ready; while :; do sleep 0.05; done",
  catchesTerm: "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done",
  writes1000Lines: 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo "line $i of a log"; done; echo oops >&2',
  showsEnvironment: 'echo "$GREETING"',
  writesWord: 'echo hello >here/word',
  readsWord: 'cat there/word',
} as const;

export const missingProgram = '/no/such/program';

/** Commands for `exec`: argv of a shell line. */
export const contractCommands = { succeeds: 'echo fine', fails5: 'echo bad >&2; exit 5', hangs: 'sleep 300' };

export type RuntimeUnderTest = {
  /** Opens a runtime; a second call is the same machine after a restart of the agent. */
  readonly open: () => ContainerRuntime;
  /** Where `logDir`s may be. */
  readonly logRoot: string;
  /** An empty folder to mount. */
  readonly folder: string;
  /** After the last container was removed. */
  readonly close?: () => Promise<void>;
};

/** What holds for every ContainerRuntime. `setUp` gives each test a machine of its own. */
export function containerRuntimeContract(t: Test, setUp: (t: Test) => Promise<RuntimeUnderTest>): void {
  const test = (name: string, body: (t: Test, use: Use) => Promise<void>) =>
    t.test(name, async (t) => {
      const under = await setUp(t);
      const use = useOf(under);
      try {
        await body(t, use);
      } finally {
        await use.removeAll();
        await under.close?.();
      }
    });

  test('a container is created, runs, and is listed with its labels', async (t, use) => {
    await use.runtime.create(use.spec('web', contractPrograms.runs));
    t.match(await use.find('web'), { labels: { for: 'web' }, state: { kind: 'created' } });
    await use.runtime.start('web');
    t.match(await use.find('web'), { labels: { for: 'web' }, state: { kind: 'running', pid: Number } });
  });

  test('create and start may be repeated', async (t, use) => {
    await use.run('web', contractPrograms.runs);
    const first = await use.find('web');
    await use.run('web', contractPrograms.exits3);
    t.same(await use.find('web'), first);
    t.equal((await use.runtime.list()).length, 1);
  });

  test('starts of the same container that overlap run it once', async (t, use) => {
    await use.runtime.create(use.spec('web', contractPrograms.runs));
    await Promise.all([use.runtime.start('web'), use.runtime.start('web')]);
    await use.untilLogged('web', 'ready');
    t.equal((await use.log('web', { tail: 10 })).filter((line) => line.text === 'ready').length, 1);
  });

  for (const [program, code] of [
    ['exits0', 0],
    ['exits3', 3],
  ] as const) {
    test(`a program that ends with ${code} ends with exit code ${code}`, async (t, use) => {
      await use.run('job', contractPrograms[program]);
      t.match(await use.end('job'), {
        exitCode: code,
        signal: undefined,
        oom: false,
        reason: `exit code ${code}`,
      });
      t.match(await use.find('job'), { state: { kind: 'ended', end: { exitCode: code } } });
    });
  }

  test('a program that crashes ends with its signal', async (t, use) => {
    await use.run('job', contractPrograms.crashes);
    t.match(await use.end('job'), { exitCode: 139, signal: 'SIGSEGV' });
  });

  test('start of a missing program fails with its name, and the container can be removed', async (t, use) => {
    await use.runtime.create({
      ...use.spec('bad', ''),
      command: { kind: 'argv', argv: [missingProgram] },
    });
    const error = await use.runtime.start('bad').catch((thrown) => thrown);
    t.ok(error instanceof StartFailed);
    t.match(error.message, missingProgram);
    t.equal((await use.find('bad'))?.state.kind, 'created');
    await use.runtime.remove('bad');
    t.same(await use.runtime.list(), []);
  });

  test('a program gets its environment', async (t, use) => {
    await use.run('job', contractPrograms.showsEnvironment);
    await use.end('job');
    t.match(await use.log('job', { tail: 1 }), [{ text: 'good morning', stream: 'stdout' }]);
  });

  test('stop ends a program that does not catch SIGTERM long before the grace is over', async (t, use) => {
    await use.run('web', contractPrograms.runs);
    await use.untilLogged('web', 'ready');
    t.match(await use.runtime.stop('web', 60_000), { exitCode: 143, signal: 'SIGTERM' });
  });

  test('stop lets a program that catches SIGTERM end in its own way', async (t, use) => {
    await use.run('web', contractPrograms.catchesTerm);
    await use.untilLogged('web', 'ready');
    t.match(await use.runtime.stop('web', 60_000), { exitCode: 7 });
  });

  test('stop kills a program that ignores SIGTERM when the grace is over', async (t, use) => {
    await use.run('web', contractPrograms.ignoresTerm);
    await use.untilLogged('web', 'ready');
    t.match(await use.runtime.stop('web', 200), { exitCode: 137, signal: 'SIGKILL' });
  });

  test('stop without grace kills at once', async (t, use) => {
    await use.run('web', contractPrograms.catchesTerm);
    await use.untilLogged('web', 'ready');
    t.match(await use.runtime.stop('web', 0), { exitCode: 137, signal: 'SIGKILL' });
  });

  test('stop may be repeated and gives the same end', async (t, use) => {
    await use.run('web', contractPrograms.runs);
    const end = await use.runtime.stop('web', 1_000);
    t.same(await use.runtime.stop('web', 1_000), end);
  });

  test('stop of a container that was never started ends it unstarted', async (t, use) => {
    await use.runtime.create(use.spec('web', contractPrograms.runs));
    t.match(await use.runtime.stop('web', 1_000), { exitCode: undefined, reason: /before it was started/ });
    await use.runtime.start('web');
    t.equal((await use.find('web'))?.state.kind, 'ended');
  });

  test('remove takes a running container away and may be repeated', async (t, use) => {
    await use.run('web', contractPrograms.runs);
    await use.runtime.remove('web');
    t.same(await use.runtime.list(), []);
    await use.runtime.remove('web');
    await use.runtime.remove('never-there');
  });

  test('an id that was removed can be created again', async (t, use) => {
    await use.run('web', contractPrograms.exits3);
    await use.end('web');
    await use.runtime.remove('web');
    await use.run('web', contractPrograms.runs);
    t.equal((await use.find('web'))?.state.kind, 'running');
  });

  test('an id may be any text', async (t, use) => {
    const ids = ['a/b c', 'a b/c', '..', '.', `${'long'.repeat(80)}.1`, `${'long'.repeat(80)}.2`, 'ünï\n'];
    for (const id of ids) await use.runtime.create(use.spec(id, contractPrograms.runs));
    t.same((await use.runtime.list()).map((container) => container.id).sort(), ids.sort());
  });

  test('containers go on after a restart of the agent, which finds them', async (t, use) => {
    await use.run('web', contractPrograms.runs);
    const before = await use.find('web');
    use.restart();
    t.same(await use.find('web'), before);
    await use.untilLogged('web', 'ready');
    t.match(await use.runtime.stop('web', 1_000), { signal: 'SIGTERM' });
  });

  test('an end that nobody watched is told after a restart of the agent', async (t, use) => {
    await use.run('job', contractPrograms.exits3);
    await use.end('job');
    use.restart();
    t.match(await use.end('job'), { exitCode: 3 });
    t.match(await use.find('job'), { state: { kind: 'ended', end: { exitCode: 3 } } });
  });

  test('exits tells each end once, those on record first', async (t, use) => {
    await use.run('first', contractPrograms.exits3);
    await use.end('first');
    const told: string[] = [];
    const watching = new AbortController();
    for await (const exit of use.runtime.exits(watching.signal)) {
      told.push(exit.id);
      if (exit.id === 'first') await use.run('second', contractPrograms.exits0);
      if (exit.id === 'second') await use.run('third', contractPrograms.exits0);
      if (exit.id === 'third') watching.abort();
    }
    t.same(told, ['first', 'second', 'third']);
  });

  test('exec gives the exit code and the output of a command', async (t, use) => {
    await use.run('web', contractPrograms.runs);
    t.match(await use.exec('web', contractCommands.succeeds), { exitCode: 0, output: 'fine\n' });
    t.match(await use.exec('web', contractCommands.fails5), { exitCode: 5, output: 'bad\n' });
  });

  test('exec ends a command that takes too long and leaves the container alone', async (t, use) => {
    await use.run('web', contractPrograms.runs);
    await t.rejects(use.exec('web', contractCommands.hangs, 300), ExecFailed);
    t.equal((await use.find('web'))?.state.kind, 'running');
  });

  test('exec in a container that does not run is an error', async (t, use) => {
    await use.runtime.create(use.spec('web', contractPrograms.runs));
    await t.rejects(use.exec('web', contractCommands.succeeds), NotRunning);
    await t.rejects(use.exec('other', contractCommands.succeeds), NoSuchContainer);
  });

  test('containers that mount one folder share what is in it, each at a path of its own', async (t, use) => {
    await use.run('writer', contractPrograms.writesWord, { mounts: [use.folderAt('here')] });
    t.match(await use.end('writer'), { exitCode: 0 });
    await use.run('reader', contractPrograms.readsWord, { mounts: [use.folderAt('there')] });
    t.match(await use.end('reader'), { exitCode: 0 });
    t.match(await use.log('reader', { tail: 5 }), [{ text: 'hello' }]);
  });

  test('start and stop of an unknown id are errors', async (t, use) => {
    await t.rejects(use.runtime.start('nobody'), NoSuchContainer);
    await t.rejects(use.runtime.stop('nobody', 0), NoSuchContainer);
  });

  test('a log keeps every line in order, and the two streams apart', async (t, use) => {
    await use.run('job', contractPrograms.writes1000Lines);
    await use.end('job');
    const lines = await use.log('job', { tail: 2_000, stream: 'stdout' });
    t.equal(lines.length, 1_000);
    t.same(
      lines.map((line) => line.text),
      lines.map((_, index) => `line ${index + 1} of a log`),
    );
    t.match(await use.log('job', { tail: 2_000, stream: 'stderr' }), [{ stream: 'stderr', text: 'oops' }]);
    t.match(await use.log('job', { tail: 1, stream: 'stdout' }), [{ text: 'line 1000 of a log' }]);
  });

  test('a log can be read after remove and is empty where there is none', async (t, use) => {
    await use.run('job', contractPrograms.showsEnvironment);
    await use.end('job');
    await use.runtime.remove('job');
    t.match(await use.log('job', { tail: 5 }), [{ text: 'good morning' }]);
    t.same(await use.log('other', { tail: 5 }), []);
  });
}

type Use = ReturnType<typeof useOf>;

/** The phrases of the suite. */
function useOf(under: RuntimeUnderTest) {
  let runtime = under.open();
  const logDirOf = (id: string) => join(under.logRoot, Buffer.from(id).toString('hex').slice(0, 60));
  const spec = (id: string, line: string): ContainerSpec => ({
    id,
    command: { kind: 'argv', argv: ['/bin/sh', '-c', line] },
    env: { GREETING: 'good morning' },
    rootfs: { kind: 'host' },
    mounts: [],
    files: {},
    netns: { kind: 'host' },
    cpus: 0.1,
    mem: 64,
    logDir: logDirOf(id),
    labels: { for: id },
  });
  return {
    get runtime() {
      return runtime;
    },
    spec,
    restart() {
      runtime = under.open();
    },
    folderAt: (containerPath: string): Mount => ({ hostPath: under.folder, containerPath, mode: 'RW' }),
    async run(id: string, line: string, some: Partial<ContainerSpec> = {}): Promise<void> {
      await runtime.create({ ...spec(id, line), ...some });
      await runtime.start(id);
    },
    async find(id: string): Promise<Container | undefined> {
      return (await runtime.list()).find((container) => container.id === id);
    },
    async end(id: string): Promise<ContainerEnd> {
      for await (const exit of runtime.exits(new AbortController().signal)) {
        if (exit.id === id) return exit.end;
      }
      throw new Error('unreachable: the signal never aborts');
    },
    exec: (id: string, line: string, timeoutMs = 20_000) =>
      runtime.exec(id, { argv: ['/bin/sh', '-c', line], timeoutMs }),
    async log(id: string, options: { tail: number; stream?: 'stdout' | 'stderr' }): Promise<LogLine[]> {
      return Array.fromAsync(runtime.log(logDirOf(id), options));
    },
    async untilLogged(id: string, text: string): Promise<void> {
      const follow = new AbortController().signal;
      for await (const line of runtime.log(logDirOf(id), { tail: 10, follow })) {
        if (line.text === text) return;
      }
    },
    async removeAll(): Promise<void> {
      for (const { id } of await runtime.list()) await runtime.remove(id);
    },
  };
}
