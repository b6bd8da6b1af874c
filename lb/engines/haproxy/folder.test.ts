import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Folder } from './folder.ts';

t.test('what a killed process left goes when the next one begins, and nothing else', async (t) => {
  const within = t.testdir({});
  const { pid } = spawnSync(process.execPath, ['--version']);
  const [left, alive, strange] = [
    `weir-haproxy-${pid}-abc`,
    `weir-haproxy-${process.ppid}-abc`,
    `${pid}-abc`,
  ];
  for (const name of [left, alive, strange]) mkdirSync(join(within, name));
  const folder = await Folder.make(within);
  await folder.write([['key.pem', 'secret']]);
  const isThere = (name: string) => existsSync(join(within, name));
  t.same([left, alive, strange].map(isThere), [false, true, true]);
  t.ok(existsSync(join(folder.path, 'key.pem')));
  await folder.remove();
  t.notOk(existsSync(folder.path));
});
