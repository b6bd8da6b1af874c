import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LogFolders } from './log-folders.ts';

const bounds = { instancesOfApp: 2, instances: 4, bytes: 1_000 };

/** A log of a container of this instance; a later `at` is a newer one. */
async function write(logs: LogFolders, instance: string, { at, bytes = 1 }: { at: number; bytes?: number }) {
  const folder = logs.path(instance, `${instance}.1`);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'ctr.log');
  await writeFile(file, 'x'.repeat(bytes));
  for (const path of [file, folder]) await utimes(path, at, at);
}

async function left(logs: LogFolders, ...instances: readonly string[]): Promise<readonly string[]> {
  const kept = await Promise.all(instances.map(async (id) => (await logs.containersOf(id)).length > 0));
  return instances.filter((_, index) => kept[index]);
}

const open = (t: Test) => new LogFolders(t.testdir(), bounds);

t.test('of an app the newest ended instances keep their logs, and all that live', async (t) => {
  const logs = open(t);
  for (const [at, id] of ['a', 'b', 'c', 'd'].entries())
    await write(logs, `web.instance-${id}`, { at: at + 1 });
  await logs.keepWithin(() => new Set(['web.instance-a']));
  const all = ['a', 'b', 'c', 'd'].map((id) => `web.instance-${id}`);
  t.same(await left(logs, ...all), ['web.instance-a', 'web.instance-c', 'web.instance-d']);
});

t.test('all together they keep within a number and a size', async (t) => {
  const logs = open(t);
  const ids = Array.from({ length: 6 }, (_, index) => `app${index}.instance-x`);
  for (const [at, id] of ids.entries())
    await write(logs, id, { at: at + 1, bytes: id === ids[3] ? 900 : 60 });
  await logs.keepWithin(() => new Set());
  t.same(
    await left(logs, ...ids),
    ids.slice(4),
    '900 more would be too much, and then nothing older is kept',
  );
});

t.test('an instance has the logs of each attempt and container, however long its id', async (t) => {
  const logs = open(t);
  const id = `${'long_'.repeat(60)}web.instance-x`;
  for (const part of ['10.web', '2.web', '2.side'])
    await mkdir(logs.path(id, `${id}.${part}`), { recursive: true });
  t.same((await logs.containersOf(id)).at(-1), `${id}.10.web`);
  t.equal((await logs.containersOf(id)).length, 3);
  t.same(await logs.containersOf('web.instance-none'), []);
  await new LogFolders(join(t.testdir(), 'none')).keepWithin(() => new Set());
});

t.test('an instance that begins while its folder is found keeps its log', async (t) => {
  const logs = open(t);
  for (const [at, id] of ['a', 'b'].entries()) await write(logs, `web.instance-${id}`, { at: at + 2 });
  await write(logs, 'web.instance-new', { at: 1 });
  const live = new Set<string>();
  const keeping = logs.keepWithin(() => live);
  live.add('web.instance-new');
  await keeping;
  t.same(await left(logs, 'web.instance-new'), ['web.instance-new']);
});
