import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { ContainerRefused, type ContainerSpec, StartFailed } from '../../runtime.ts';
import { parseMark } from '../local/process-mark.ts';
import { untilThere } from '../local/until-there.ts';
import { trimLogs } from './plain-log.ts';
import { ProcessRuntime } from './process-runtime.ts';

type Host = Awaited<ReturnType<typeof processHost>>;

const test = (name: string, body: (t: Test, host: Host) => Promise<void>) =>
  t.test(name, async (t) => body(t, await processHost(t)));

test('a process outlives the agent and its process group, and is adopted', async (t, host) => {
  const agent = startInAnotherAgent(host);
  await once(agent, 'message');
  process.kill(-agent.pid!, 'SIGKILL');
  await once(agent, 'exit');
  t.match(await host.open().list(), [{ id: 'web', state: { kind: 'running' } }]);
  t.match(await host.open().stop('web', 20_000), { exitCode: 143 });
});

for (const moment of ['spec.json', 'claim', 'leader']) {
  test(`an agent killed when ${moment} appears leaves a container that can be started, once`, async (t, host) => {
    const agent = startInAnotherAgent(host);
    await untilThere(join(host.dataDir, 'containers/web', moment));
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    await host.open().start('web');
    t.match(await host.open().list(), [{ id: 'web', state: { kind: 'running' } }]);
    const { logDir } = host.spec('web', '');
    for await (const _ of host.open().log(logDir, { tail: 9, follow: new AbortController().signal })) break;
    t.match(await host.open().stop('web', 20_000), { exitCode: 143 });
    t.equal((await Array.fromAsync(host.open().log(logDir, { tail: 9 }))).length, 1);
  });
}

test('a start cut short can be removed without being finished', async (t, host) => {
  const agent = startInAnotherAgent(host);
  await untilThere(join(host.dataDir, 'containers/web/claim'));
  agent.kill('SIGKILL');
  await once(agent, 'exit');
  await host.open().remove('web');
  t.same(await host.open().list(), []);
});

test('a process ends with all of its group', async (t, host) => {
  const runtime = host.open();
  const spec = host.spec('web', 'sleep 300 & echo $!; wait');
  await runtime.create(spec);
  await runtime.start('web');
  let child = 0;
  for await (const line of runtime.log(spec.logDir, { tail: 1, follow: new AbortController().signal })) {
    child = Number(line.text);
    break;
  }
  t.equal(await isRunning(child), true);
  await runtime.remove('web');
  t.equal(await isRunning(child), false);
});

test('a process whose monitor was killed goes on, and its end is told as unseen', async (t, host) => {
  const runtime = host.open();
  await runtime.create(host.spec('web', 'exec sleep 300'));
  await runtime.start('web');
  const monitor = parseMark(await readFile(join(host.dataDir, 'containers/web/claim'), 'utf8'));
  process.kill(monitor!.pid, 'SIGKILL');
  t.match(await runtime.list(), [{ state: { kind: 'running' } }]);
  t.match(await runtime.stop('web', 20_000), { exitCode: undefined, reason: /not seen/ });
});

test('a process has a sandbox of its own and starts in it', async (t, host) => {
  const runtime = host.open();
  await runtime.create(host.spec('web', 'echo kept >file; exec sleep 300'));
  await runtime.start('web');
  const { output } = await runtime.exec('web', {
    argv: ['/bin/sh', '-c', 'cd "$MESOS_SANDBOX" && pwd'],
    timeoutMs: 20_000,
  });
  t.equal(output, `${join(host.dataDir, 'containers/web/sandbox')}\n`);
});

test('a process gets no more than its own environment', async (t, host) => {
  process.env.WEIR_TEST_SECRET = 'x';
  t.teardown(() => delete process.env.WEIR_TEST_SECRET);
  const runtime = host.open();
  await runtime.create(host.spec('web', 'exec sleep 300'));
  await runtime.start('web');
  const { output } = await runtime.exec('web', { argv: ['/usr/bin/env'], timeoutMs: 20_000 });
  t.notMatch(output, 'WEIR_TEST_SECRET');
  const [container] = await runtime.list();
  const pid = container?.state.kind === 'running' ? container.state.pid : 0;
  t.notMatch(await readFile(`/proc/${pid}/environ`, 'utf8'), 'WEIR_TEST_SECRET');
});

test('a process refuses what needs root', async (t, host) => {
  const refused: readonly Partial<ContainerSpec>[] = [
    { rootfs: { kind: 'image', reference: 'nginx', forcePull: false } },
    { netns: { kind: 'path', path: '/run/netns/x' } },
    { user: 'somebody-else' },
    { mounts: [{ hostPath: '/a', containerPath: '/b', mode: 'RO' }] },
  ];
  for (const some of refused) {
    await t.rejects(host.open().create({ ...host.spec('bad', 'true'), ...some }), ContainerRefused);
  }
  t.same(await host.open().list(), []);
});

test('a process with a working directory that is not there cannot be started', async (t, host) => {
  await host.open().create({ ...host.spec('bad', 'true'), cwd: '/no/such/dir' });
  await t.rejects(host.open().start('bad'), StartFailed);
  t.match(await host.open().list(), [{ state: { kind: 'created' } }]);
});

test('a long log is cut and one older file kept, while the program goes on writing', async (t, host) => {
  const runtime = host.open();
  const spec = host.spec(
    'job',
    'i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo "line $i"; done; read -r _ <fifo; echo end',
  );
  await runtime.create({
    ...spec,
    command: { kind: 'argv', argv: ['/bin/sh', '-c', `mkfifo fifo; ${line(spec)}`] },
  });
  await runtime.start('job');
  for await (const { text } of runtime.log(spec.logDir, { tail: 1, follow: new AbortController().signal })) {
    if (text === 'line 500') break;
  }
  await trimLogs(spec.logDir, 1_000);
  t.equal((await stat(join(spec.logDir, 'stdout'))).size, 0);
  await runtime.exec('job', { argv: ['/bin/sh', '-c', 'echo go >fifo'], timeoutMs: 20_000 });
  for await (const exit of runtime.exits(new AbortController().signal)) if (exit.id === 'job') break;
  const lines = await Array.fromAsync(runtime.log(spec.logDir, { tail: 2, stream: 'stdout' }));
  t.same(
    lines.map(({ text }) => text),
    ['line 500', 'end'],
  );
});

/** An agent of its own that creates and starts `web`, then says so and waits. */
function startInAnotherAgent(host: Host) {
  const script = `
    import { ProcessRuntime } from ${JSON.stringify(new URL('process-runtime.ts', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../../../core/kit/clock.ts', import.meta.url).href)};
    const runtime = new ProcessRuntime({ dataDir: ${JSON.stringify(host.dataDir)}, clock: systemClock });
    await runtime.create(${JSON.stringify(host.spec('web', 'echo ready; exec sleep 300'))});
    await runtime.start('web');
    process.send('started');
    process.on('message', () => {});
  `;
  const args = ['--input-type=module', '--eval', script];
  return spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function line(spec: ContainerSpec): string {
  return spec.command.kind === 'argv' ? (spec.command.argv[2] ?? '') : '';
}

async function processHost(t: Test) {
  const dir = await mkdtemp(join(tmpdir(), 'weir-process-'));
  const dataDir = join(dir, 'data');
  const open = () => new ProcessRuntime({ dataDir, clock: systemClock });
  const spec = (id: string, shell: string): ContainerSpec => ({
    id,
    command: { kind: 'argv', argv: ['/bin/sh', '-c', shell] },
    env: {},
    rootfs: { kind: 'host' },
    mounts: [],
    files: {},
    netns: { kind: 'host' },
    cpus: 0.1,
    mem: 64,
    logDir: join(dir, 'logs', id),
    labels: null,
  });
  t.teardown(async () => {
    const runtime = open();
    for (const { id } of await runtime.list()) await runtime.remove(id);
    await rm(dir, { recursive: true });
  });
  return { dataDir, open, spec };
}

async function isRunning(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text !== '' && !/\) [ZX] /.test(text);
}
