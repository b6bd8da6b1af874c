import { once } from 'node:events';
import { chmodSync, closeSync, openSync, watch, writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { systemClock } from '../core/kit/clock.ts';
import { execContract } from './exec.contract.ts';
import type { ExecRequest } from './exec.ts';
import { createProcessExec } from './process-exec.ts';
import { installNoop, installScript } from './testing/install-noop.ts';

t.test('processes', async (t) => {
  execContract(t, async (t) => {
    const dir = t.testdir();
    await installNoop(dir, 'noop');
    return { exec: createProcessExec({ env: process.env }), dirs: [dir] };
  });
});

const REQUEST: ExecRequest = { env: { CNI_COMMAND: 'ADD' }, stdin: '{}', timeoutMs: 30_000 };

async function runScript(dir: string, script: string, request: Partial<ExecRequest> = {}) {
  const path = await installScript(dir, 'scripted', script);
  return createProcessExec({ env: process.env }).run(path, { ...REQUEST, ...request });
}

t.test('process exec finds the first file along the path (R21)', async (t) => {
  const dir = t.testdir();
  const [first, second, third] = [join(dir, 'first'), join(dir, 'second'), join(dir, 'third')];
  await mkdir(join(first, 'bridge'), { recursive: true });
  await installScript(second, 'bridge', 'true');
  await installScript(third, 'bridge', 'true');

  const exec = createProcessExec({ env: {} });

  t.equal(await exec.find('bridge', [first, second, third]), join(second, 'bridge'), 'a folder is no plugin');
});

t.test(
  'process exec gives the plugin each CNI variable of the request once and none of its own (R20)',
  async (t) => {
    const path = await installScript(t.testdir(), 'scripted', 'cat /proc/self/environ');
    const exec = createProcessExec({
      env: { PATH: process.env.PATH, CNI_ARGS: 'OLD=1', TRACEPARENT: '00-1' },
    });

    const { stdout } = await exec.run(path, { ...REQUEST, env: { CNI_COMMAND: 'ADD', CNI_IFNAME: 'eth0' } });

    const variables = stdout.split('\0').filter((variable) => variable.startsWith('CNI_'));
    t.same(variables.sort(), ['CNI_COMMAND=ADD', 'CNI_IFNAME=eth0']);
    t.match(stdout, 'TRACEPARENT=00-1');
  },
);

t.test('process exec kills the whole process group of a hanging plugin (R43)', async (t) => {
  const dir = t.testdir();
  const script = `sleep 1000 & echo $! > ${dir}/child; echo $$ > ${dir}/self; wait`;

  const outcome = await runScript(dir, script, { timeoutMs: 300 });

  t.equal(outcome.end, 'timeout');
  for (const name of ['child', 'self']) {
    const pid = Number(await readFile(join(dir, name), 'utf8'));
    await gone(pid);
    t.pass(`${name} is gone`);
  }
});

t.test('process exec settles although a daemon keeps the output open in a session of its own', async (t) => {
  const dir = t.testdir();
  const script = `setsid sleep 1000 & echo $! > ${dir}/daemon; echo '{}'`;

  const outcome = await runScript(dir, script, { timeoutMs: 300 });

  process.kill(Number(await readFile(join(dir, 'daemon'), 'utf8')), 'SIGKILL');
  t.equal(outcome.end, 'timeout');
});

t.test('process exec accepts a result of 1 MiB (R50)', async (t) => {
  const { stdout } = await runScript(t.testdir(), 'head -c 1048576 /dev/zero | tr "\\0" x');
  t.equal(stdout.length, 1024 * 1024);
});

t.test('process exec kills a plugin that writes without end', async (t) => {
  t.equal((await runScript(t.testdir(), 'exec cat /dev/zero')).end, 'overflow');
});

t.test('process exec keeps the beginning of a long standard error and lets the plugin finish', async (t) => {
  const outcome = await runScript(t.testdir(), 'head -c 1000000 /dev/zero | tr "\\0" e >&2; echo done');
  t.match(outcome, { end: 'exited', exitCode: 0, stdout: 'done\n' });
  t.equal(outcome.stderr.length, 64 * 1024);
});

t.test('process exec judges a plugin that never reads its input by its answer only (R51)', async (t) => {
  const outcome = await runScript(t.testdir(), 'exec 0<&-; echo answer; exit 3', {
    stdin: 'x'.repeat(4 << 20),
  });
  t.match(outcome, { end: 'exited', exitCode: 3, stdout: 'answer\n' });
});

t.test('process exec puts output that comes in pieces together (R52)', async (t) => {
  const script = 'for word in one two three four five; do printf %s $word; printf "" >/dev/null; done';
  t.equal((await runScript(t.testdir(), script)).stdout, 'onetwothreefourfive');
});

t.test('process exec hands on no file descriptor beyond standard error (R53)', async (t) => {
  const held = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(held));
  const { stdout } = await runScript(t.testdir(), 'ls /proc/$$/fd; true');
  // A shell keeps its script open, under a number from 10 on.
  t.same(
    stdout
      .trim()
      .split('\n')
      .filter((fd) => Number(fd) < 10),
    ['0', '1', '2'],
  );
});

t.test('process exec runs plugins in the root folder (R54)', async (t) => {
  t.equal((await runScript(t.testdir(), 'pwd')).stdout, '/\n');
});

t.test('process exec reports the signal that ended a plugin', async (t) => {
  t.match(await runScript(t.testdir(), 'kill -SEGV $$'), { end: 'killed', signal: 'SIGSEGV' });
});

t.test('process exec says why a file cannot be started', async (t) => {
  const path = join(t.testdir(), 'plain');
  writeFileSync(path, 'not executable');
  const exec = createProcessExec({ env: process.env });
  await t.rejects(exec.run(path, REQUEST), {
    code: 'WEIR_CNI_PLUGIN_START',
    message: /plain cannot be started/,
  });
});

t.test('process exec tries again while the file is being written', async (t) => {
  const path = join(t.testdir(), 'busy');
  writeFileSync(path, await readFile('/bin/true'));
  chmodSync(path, 0o755);
  const writer = openSync(path, 'r+');
  const pauses: number[] = [];
  const clock = {
    ...systemClock,
    async sleep(ms: number) {
      pauses.push(ms);
      closeSync(writer);
    },
  };

  const outcome = await createProcessExec({ env: process.env, clock }).run(path, REQUEST);

  t.match(outcome, { end: 'exited', exitCode: 0 });
  t.same(pauses, [1000]);
});

t.test('process exec stops what a dead process left at work on an attachment', async (t) => {
  const dir = t.testdir();
  const env = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: `weir-orphan-${process.pid}`, CNI_IFNAME: 'eth0' };
  const orphan = execa('sh', ['-c', `sleep 1000 & touch ${dir}/ready; wait`], { env, reject: false });
  await appears(dir, 'ready');

  const exec = createProcessExec({ env: process.env });
  await exec.stopOrphans([{ containerId: env.CNI_CONTAINERID, ifName: 'eth0' }]);

  t.equal((await orphan).signal, 'SIGKILL');
});

async function appears(dir: string, name: string): Promise<void> {
  const watcher = watch(dir);
  try {
    while (!(await exists(join(dir, name))))
      await Promise.race([once(watcher, 'change'), systemClock.sleep(50)]);
  } finally {
    watcher.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

/** Resolves when the process has ended; a zombie has. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
    if (/\) Z/.test(state)) return;
    await systemClock.sleep(5);
  }
}
