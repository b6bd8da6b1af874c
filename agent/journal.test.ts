import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { silentLog } from '../core/kit/log.ts';
import { Journal } from './journal.ts';
import { epoch, keyOf, recordOf } from './testing/assignments.ts';

const killing = recordOf('a', { state: { kind: 'killing', since: epoch } });

t.test('a record comes back as it was last written', async (t) => {
  const folder = join(t.testdir(), 'deep', 'instances');
  const journal = new Journal(folder, silentLog);
  t.equal((await journal.load()).size, 0, 'the first time there is none');
  await journal.put(keyOf('a'), recordOf('a'));
  await journal.put(keyOf('a'), killing);
  await journal.put(keyOf('b'), recordOf('b'));
  const known = await new Journal(folder, silentLog).load();
  t.same(
    known,
    new Map([
      [keyOf('a'), killing],
      [keyOf('b'), recordOf('b')],
    ]),
  );
});

t.test('a deleted record is gone, also when it is deleted again', async (t) => {
  const folder = t.testdir();
  const journal = new Journal(folder, silentLog);
  await journal.put(keyOf('a'), recordOf('a'));
  await journal.delete(keyOf('a'));
  await journal.delete(keyOf('a'));
  t.same(await readdir(folder), []);
});

t.test(
  'a journal cut off while a record was written has the record before it, and nothing lies about',
  async (t) => {
    const text = JSON.stringify(killing);
    const cut = fc.integer({ min: 0, max: text.length });
    await fc.assert(
      fc.asyncProperty(cut, async (length) => {
        const folder = t.testdir();
        await new Journal(folder, silentLog).put(keyOf('a'), recordOf('a'));
        await writeFile(join(folder, `${keyOf('a')}.json.new`), text.slice(0, length));
        await writeFile(join(folder, `${keyOf('b')}.json.new`), text.slice(0, length));
        const known = await new Journal(folder, silentLog).load();
        t.same(known, new Map([[keyOf('a'), recordOf('a')]]));
        t.same(await readdir(folder), [`${keyOf('a')}.json`]);
      }),
      { numRuns: 20 },
    );
  },
);

t.test('a record that cannot be read is said, left as it is, and costs no other', async (t) => {
  const folder = t.testdir({ 'broken.json': '{"assignment":', 'note.txt': 'not ours' });
  const said: object[] = [];
  const log = { ...silentLog, error: (_: string, fields: object = {}) => said.push(fields) };
  const journal = new Journal(folder, log);
  await journal.put(keyOf('a'), recordOf('a'));
  t.same([...(await journal.load()).keys()], [keyOf('a')]);
  t.match(said, [{ file: 'broken.json' }]);
  t.equal(await readFile(join(folder, 'broken.json'), 'utf8'), '{"assignment":');
});
