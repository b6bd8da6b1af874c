import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../core/kit/log.ts';
import { createCni } from './cni.ts';
import { createProcessExec } from './process-exec.ts';
import { attachment, failure, fixture, network } from './testing/fixture.ts';
import { installNoop } from './testing/install-noop.ts';

t.test('cni never has two plugins at work on one container, over all its networks (R44, R46)', async (t) => {
  let working = 0;
  const { cni, exec } = fixture(t, async () => {
    working += 1;
    t.equal(working, 1);
    await new Promise(setImmediate);
    working -= 1;
    return undefined;
  });
  const green = network(['g', 'h'], { name: 'green' });
  await Promise.all([
    cni.add(network(['a', 'b']), attachment('c1', 'eth0')),
    cni.add(green, attachment('c1', 'eth1')),
    cni.del('blue', attachment('c1', 'eth0')),
  ]);
  t.same(exec.order(), ['a ADD', 'b ADD', 'g ADD', 'h ADD', 'b DEL', 'a DEL']);
});

t.test('cni works on different containers at once, up to its limit (R45)', async (t) => {
  let working = 0;
  let most = 0;
  const three = Promise.withResolvers<void>();
  const busy = async () => {
    working += 1;
    most = Math.max(most, working);
    if (working === 3) three.resolve();
    await three.promise;
    working -= 1;
    return undefined;
  };
  const { cni } = fixture(t, busy, { concurrency: 3 });
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => cni.add(network(['a']), attachment(`c${index}`))),
  );
  t.equal(most, 3);
  t.equal((await cni.attachments()).length, 20);
});

t.test('cni asks a plugin for its versions', async (t) => {
  const { cni, exec } = fixture(t);
  t.match(await cni.versions('a'), ['0.1.0', '0.2.0']);
  t.same(exec.calls[0]?.env, { CNI_COMMAND: 'VERSION' });
});

t.test('cni knows how old plugins answer VERSION', async (t) => {
  const first = fixture(t, () => failure(4, 'unknown CNI_COMMAND: VERSION'));
  t.same(await first.cni.versions('a'), ['0.1.0']);
  const second = fixture(t, () => ({ stdout: '{"cniVersion":"0.2.0"}' }));
  t.same(await second.cni.versions('a'), ['0.1.0', '0.2.0']);
  const broken = fixture(t, () => ({ stdout: 'v1' }));
  await t.rejects(broken.cni.versions('a'), {
    code: 'WEIR_CNI_PLUGIN_OUTPUT',
    message: /plugin a for its versions/,
  });
});

t.test('cni drives the recording plugin through its whole life', async (t) => {
  const dir = t.testdir();
  const journal = join(dir, 'journal');
  await writeFile(journal, '');
  for (const type of ['a', 'b']) await installNoop(dir, type);
  const exec = createProcessExec({ env: process.env });
  const cni = createCni({ pluginDirs: [dir], cacheDir: join(dir, 'cache'), exec, log: silentLog });
  const list = network([
    { type: 'a', noop: { journal } },
    { type: 'b', noop: { journal } },
  ]);

  await cni.status(list);
  await cni.add(list, attachment('c1'));
  await cni.check(list, attachment('c1'));
  await cni.gc(list, [{ containerId: 'c1', ifName: 'eth0' }]);
  await cni.del('blue', attachment('c1'));

  const lines = (await readFile(journal, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const begun = lines
    .filter(({ phase }) => phase === 'begin')
    .map(({ type, command }) => `${type} ${command}`);
  t.same(begun, [
    'a STATUS',
    'b STATUS',
    'a ADD',
    'b ADD',
    'a CHECK',
    'b CHECK',
    'a GC',
    'b GC',
    'b DEL',
    'a DEL',
  ]);
});
