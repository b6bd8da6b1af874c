import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { conmonDecoder, keepFullLog } from './conmon-log.ts';

const at = '2026-01-01T00:00:00.500000000+00:00';

t.test('a line of conmon is its text, stream and time', async (t) => {
  t.same(conmonDecoder().line(`${at} stderr F  two  blanks `), {
    stream: 'stderr',
    text: ' two  blanks ',
    at: Date.UTC(2026, 0, 1) + 500,
  });
  t.match(conmonDecoder().line(`${at} stdout F `), { text: '' });
  t.equal(conmonDecoder().line('garbage'), undefined);
});

t.test('a line that conmon cut is put together, whatever the other stream writes meanwhile', async (t) => {
  const decoder = conmonDecoder();
  t.equal(decoder.line(`${at} stdout P one `), undefined);
  t.match(decoder.line(`${at} stderr F between`), { text: 'between' });
  t.equal(decoder.line(`${at} stdout P two `), undefined);
  t.match(decoder.rest(), [{ stream: 'stdout', text: 'one two ' }]);
  t.match(decoder.line(`${at} stdout F three`), { stream: 'stdout', text: 'one two three' });
  t.same(decoder.rest(), []);
});

t.test('a full log is kept when an empty one takes its place', async (t) => {
  const dir = t.testdir({ log: 'first' });
  const log = join(dir, 'log');
  await keepFullLog(dir);
  await writeFile(`${log}.tmp`, 'second');
  await rename(`${log}.tmp`, log);
  await keepFullLog(dir);
  await keepFullLog(dir);
  t.equal(await readFile(`${log}.1`, 'utf8'), 'first');
  t.equal(await readFile(`${log}.kept`, 'utf8'), 'second');
});

t.test('a log that is not there yet is nothing to keep', async (t) => {
  await t.resolves(keepFullLog(t.testdir()));
});
