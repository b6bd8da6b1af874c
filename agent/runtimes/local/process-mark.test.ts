import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { bootId, formatMark, isAlive, parseMark, parseStat, signalProcess } from './process-mark.ts';

t.test('stat is read whatever the name of the command', async (t) => {
  const rest = 'S 7 8 9 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 123456 1 2';
  t.same(parseStat(`42 (sh) ${rest}`), { pid: 42, state: 'S', parent: 7, startTicks: 123456 });
  t.same(parseStat(`42 (a) b) (c) ${rest}`), { pid: 42, state: 'S', parent: 7, startTicks: 123456 });
  t.equal(parseStat(''), undefined);
  t.equal(parseStat('42 (sh'), undefined);
});

t.test('a mark is read back as it was written, and not before it is whole', async (t) => {
  const text = formatMark(await bootId(), await readFile('/proc/self/stat', 'utf8'));
  t.match(parseMark(text), { pid: process.pid, bootId: await bootId() });
  for (let length = 0; length < text.length; length += 1)
    t.equal(parseMark(text.slice(0, length)), undefined);
});

t.test(
  'a mark tells a process from a later one of the same number, and from one before a restart',
  async (t) => {
    const mark = parseMark(formatMark(await bootId(), await readFile('/proc/self/stat', 'utf8')))!;
    t.equal(await isAlive(mark), true);
    t.equal(await isAlive({ ...mark, startTicks: mark.startTicks - 1 }), false);
    t.equal(await isAlive({ ...mark, bootId: 'another' }), false);
  },
);

t.test('a signal is not sent to another process of the same number', async (t) => {
  const child = spawn('/bin/sleep', ['300']);
  await once(child, 'spawn');
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
  const mark = parseMark(formatMark(await bootId(), stat))!;
  await signalProcess({ ...mark, startTicks: mark.startTicks + 1 }, 'SIGKILL');
  t.equal(await isAlive(mark), true);
  const ended = once(child, 'exit');
  await signalProcess(mark, 'SIGTERM');
  t.same(await ended, [null, 'SIGTERM']);
  t.equal(await isAlive(mark), false);
});
