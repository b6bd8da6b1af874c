import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { run } from '../../kit/exec.ts';
import { storeContract } from '../store.contract.ts';
import type { Write } from '../store.ts';
import { SqliteStore } from './sqlite.ts';

const asRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' };

await storeContract(t, 'the sqlite store', async (t) => {
  const folder = join(t.testdir(), 'data');
  const store = await opened(t, folder);
  const reopen = async () => {
    await store.close();
    return opened(t, folder);
  };
  return { store, reopen };
});

await t.test('a second opener is told which folder is taken and by which process', async (t) => {
  const folder = t.testdir();
  await opened(t, folder);
  const second = new SqliteStore({ folder });
  await t.rejects(second.open(), {
    code: 'WEIR_STORE_UNAVAILABLE',
    message: new RegExp(`${folder}: it is in use by another process .process ${process.pid}.`),
  });
});

await t.test('a killed writer loses nothing it was told, halves nothing, and leaves no lock', async (t) => {
  const folder = t.testdir();
  for (const enough of [5, 60, 200]) {
    const acknowledged = await killedWriter(folder, enough);
    const store = await opened(t, folder);
    const { revision, records } = await store.list();
    t.ok(revision >= acknowledged, `revision ${revision} after ${acknowledged} was acknowledged`);
    t.ok(revision <= acknowledged + 1, 'at most the one commit under way is more');
    t.equal(records.length, 2 * revision, 'every commit is there with both of its records');
    await store.close();
  }
});

await t.test('commits of one turn are all or nothing each on its own', async (t) => {
  const store = await opened(t, t.testdir());
  const results = await Promise.all([
    store.commit([put('/a', 1)]),
    store.commit([put('/b', 1), { ...put('/a', 2), expect: 0 }]),
    store.commit([put('/c', 1)]),
  ]);
  t.same(
    results.map((result) => (result.kind === 'committed' ? result.revision : result.key)),
    [1, '/a', 2],
  );
  t.equal((await store.list()).records.length, 2);
});

await t.test('a folder that cannot be made or written is named with the reason', async (t) => {
  const folder = t.testdir({ file: 'text', broken: { 'weir.sqlite': 'no database at all'.repeat(100) } });
  const reasons = {
    [join(folder, 'file')]: /file: .*(cannot be opened|not a folder)/,
    [join(folder, 'file', 'below')]: /below: .*a file, not a folder/,
    [join(folder, 'broken')]: /broken: the file weir.sqlite there is not a database/,
    '/proc/weir': /\/proc\/weir: no folder can be made there/,
  };
  for (const [path, message] of Object.entries(reasons)) {
    await t.rejects(new SqliteStore({ folder: path }).open(), { code: 'WEIR_STORE_UNAVAILABLE', message });
  }
});

await t.test(
  'a full disk fails the commit, keeps what was accepted, and works again with space',
  asRoot,
  async (t) => {
    const folder = await smallDisk(t, '1m');
    const filler = join(folder, 'filler');
    const store = await opened(t, folder);
    await store.commit([put('/kept', 1)]);
    writeFileSync(filler, Buffer.alloc(600_000));
    const small = store.commit([put('/small', 1)]);
    const big = store.commit([put('/big', 'x'.repeat(2_000_000))]);
    await t.rejects(big, {
      code: 'WEIR_STORE_UNAVAILABLE',
      message: new RegExp(`${folder}: the disk is full`),
    });
    t.match(await small, { kind: 'committed', revision: 2 }, 'a neighbour in the same turn is not harmed');
    writeFileSync(filler, '');
    t.match(await store.commit([put('/after', 1)]), { kind: 'committed', revision: 3 });
    await store.close();
    const again = await opened(t, folder);
    const keys = (await again.list()).records.map((record) => record.key);
    t.same(keys, ['/after', '/kept', '/small']);
    await again.close();
  },
);

await t.test('a read-only disk is named, and what was accepted can be read later', asRoot, async (t) => {
  const folder = await smallDisk(t, '4m');
  const store = await opened(t, folder);
  await store.commit([put('/kept', 1)]);
  await store.close();
  await run('mount', ['-o', 'remount,ro', folder]);
  const readOnly = new RegExp(`${folder}: it cannot be written \\(read-only\\)`);
  await t.rejects(new SqliteStore({ folder }).open(), { code: 'WEIR_STORE_UNAVAILABLE', message: readOnly });
  await run('mount', ['-o', 'remount,rw', folder]);
  const again = await opened(t, folder);
  t.equal((await again.list()).records.length, 1);
  await again.close();
});

function put(key: string, value: unknown): Write {
  return { kind: 'put', table: 'apps', key, value };
}

async function opened(t: Test, folder: string): Promise<SqliteStore> {
  const store = new SqliteStore({ folder });
  await store.open();
  t.teardown(() => store.close());
  return store;
}

async function smallDisk(t: Test, size: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'weir-test', folder]);
  t.teardown(async () => {
    await run('umount', ['--lazy', folder]);
    rmdirSync(folder);
  });
  return folder;
}

/** The last revision a writer process was told before it was killed. */
async function killedWriter(folder: string, enough: number): Promise<number> {
  const script = join(import.meta.dirname, 'testing/commit-loop.ts');
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let acknowledged = 0;
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    count += 1;
    if (count === enough) child.kill('SIGKILL');
  }
  await ended;
  return acknowledged;
}
