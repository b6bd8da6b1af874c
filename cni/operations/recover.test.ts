import { mkdir, readdir, readFile, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { silentLog } from '../../core/kit/log.ts';
import { createCni } from '../cni.ts';
import { createProcessExec } from '../process-exec.ts';
import { ATTACHMENT, attachment, failure, fixture, network } from '../testing/fixture.ts';
import { installNoop } from '../testing/install-noop.ts';

t.test('recover finishes a detach that was interrupted (R47)', async (t) => {
  const before = fixture(t, ({ command }) => (command === 'DEL' ? failure(5, 'killed') : undefined));
  await before.cni.add(network(['a', 'b']), ATTACHMENT);
  await t.rejects(before.cni.del('blue', ATTACHMENT));

  const after = fixture(t, undefined, { cacheDir: before.cacheDir });
  const { detached, failed } = await after.cni.recover();

  t.same(detached, [{ network: 'blue', containerId: 'c1', ifName: 'eth0' }]);
  t.same(failed, []);
  t.same(after.exec.order(), ['b DEL', 'a DEL']);
  t.match(after.exec.calls[0]?.config, { prevResult: { ips: [{}] } });
  t.same(await after.cni.attachments(), []);
});

t.test('recover leaves complete attachments of this boot alone', async (t) => {
  const before = fixture(t);
  await before.cni.add(network(['a']), ATTACHMENT);
  const after = fixture(t, undefined, { cacheDir: before.cacheDir });
  t.same(await after.cni.recover(), { detached: [], failed: [] });
  t.same(after.exec.order(), []);
});

t.test(
  'recover detaches everything of an earlier boot, without its namespaces, before a new ADD (R58)',
  async (t) => {
    const before = fixture(t);
    for (const id of ['c1', 'c2']) await before.cni.add(network(['a']), attachment(id));

    const after = fixture(t, undefined, { cacheDir: before.cacheDir, bootId: 'boot-2' });
    await after.cni.add(network(['a']), attachment('c1'));

    t.same(after.exec.order(), ['a DEL', 'a DEL', 'a ADD']);
    t.same(
      after.exec.calls.slice(0, 2).map(({ env }) => env.CNI_NETNS),
      ['', ''],
    );
  },
);

t.test('recover leaves records of other runtimes alone (R58)', async (t) => {
  const before = fixture(t, undefined);
  await before.cni.add(network(['a']), ATTACHMENT);
  const path = join(before.cacheDir, 'results', 'blue-c1-eth0');
  const { bootId, ...foreign } = JSON.parse(await readFile(path, 'utf8'));
  t.equal(bootId, 'boot-1');
  await writeFile(path, JSON.stringify(foreign));

  const after = fixture(t, undefined, { cacheDir: before.cacheDir, bootId: 'boot-2' });
  t.same(await after.cni.recover(), { detached: [], failed: [] });
});

t.test('recover reports what it cannot take down and tries it again the next time', async (t) => {
  const before = fixture(t);
  await before.cni.add(network(['a']), ATTACHMENT);
  let broken = true;
  const options = { cacheDir: before.cacheDir, bootId: 'boot-2' };
  const { cni } = fixture(t, () => (broken ? failure(5, 'not yet') : undefined), options);

  t.match(await cni.recover(), { detached: [], failed: [{ cniCode: 5 }] });
  broken = false;
  t.match(await cni.recover(), { detached: [{ containerId: 'c1' }], failed: [] });
});

t.test('recover is not stopped by an unreadable record', async (t) => {
  const cacheDir = join(t.testdir(), 'cache');
  await mkdir(join(cacheDir, 'pending'), { recursive: true });
  await writeFile(join(cacheDir, 'pending', 'blue-c1-eth0'), 'half a rec');
  const { cni } = fixture(t, undefined, { cacheDir });
  t.same(await cni.recover(), { detached: [], failed: [] });
});

t.test('recover detaches completely what a killed process was attaching (R28)', async (t) => {
  const dir = t.testdir();
  const journal = join(dir, 'journal');
  const plugins = join(dir, 'plugins');
  const cacheDir = join(dir, 'cache');
  await writeFile(journal, '');
  for (const type of ['a', 'b', 'c']) await installNoop(plugins, type);
  const containerId = `weir-killed-${process.pid}`;
  const noop = { journal };
  const list = network([
    { type: 'a', noop },
    { type: 'b', noop: { ...noop, ADD: { hang: true } } },
    { type: 'c', noop },
  ]);
  const setup = { pluginDirs: [plugins], cacheDir, network: list.json, attachment: attachment(containerId) };
  const script = fileURLToPath(new URL('../testing/attach-once.ts', import.meta.url));
  const victim = execa(process.execPath, [script, JSON.stringify(setup)], { reject: false });
  await until(journal, (lines) => lines.some(({ type, phase }) => type === 'b' && phase === 'begin'));

  victim.kill('SIGKILL');
  await victim;
  const exec = createProcessExec({ env: process.env });
  const cni = createCni({ pluginDirs: [plugins], cacheDir, exec, log: silentLog });
  const { detached } = await cni.recover();

  t.same(detached, [{ network: 'blue', containerId, ifName: 'eth0' }]);
  const lines = await read(journal);
  const runs = lines.map(({ type, command, phase }) => `${type} ${command} ${phase}`);
  t.same(runs, [
    'a ADD begin',
    'a ADD end',
    'b ADD begin',
    'c DEL begin',
    'c DEL end',
    'b DEL begin',
    'b DEL end',
    'a DEL begin',
    'a DEL end',
  ]);
  const hung = lines[2]?.pid ?? 0;
  t.match(
    await readFile(`/proc/${hung}/stat`, 'utf8').catch(() => ') Z'),
    /\) Z/,
    'the plugin it left is gone',
  );
  t.same(await readdir(join(cacheDir, 'pending')), []);
});

type Line = { readonly type: string; readonly command: string; readonly phase: string; readonly pid: number };

async function read(journal: string): Promise<Line[]> {
  const text = await readFile(journal, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function until(journal: string, holds: (lines: readonly Line[]) => boolean): Promise<void> {
  const controller = new AbortController();
  const changes = watch(journal, { signal: controller.signal })[Symbol.asyncIterator]();
  // Asked for before reading, so that no change falls between.
  let change = changes.next();
  while (!holds(await read(journal))) {
    await change;
    change = changes.next();
  }
  change.catch(() => {});
  controller.abort();
}
