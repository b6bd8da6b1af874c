import { appendFile, mkdir, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import type { LogOptions } from '../../runtime.ts';
import { readLog } from './read-log.ts';

t.test('a log without file has no lines', async (t) => {
  t.same(await textsOf(t.testdir(), { tail: 10 }), []);
});

t.test('the tail of a log is its newest lines, the unfinished one too', async (t) => {
  const dir = t.testdir({ log: 'one\ntwo\n\nfour' });
  t.same(await textsOf(dir, { tail: 3 }), ['two', '', 'four']);
  t.same(await textsOf(dir, { tail: 0 }), []);
  t.same(await textsOf(dir, { tail: 99 }), ['one', 'two', '', 'four']);
});

t.test('the tail of a log is that of all its lines, whatever their number and length', async (t) => {
  const dir = t.testdir();
  const line = fc.string({ unit: 'grapheme', maxLength: 9_000 }).map((text) => text.replaceAll('\n', ' '));
  const property = fc.asyncProperty(fc.array(line, { maxLength: 60 }), fc.nat(70), async (lines, tail) => {
    await writeFile(join(dir, 'log'), lines.map((text) => `${text}\n`).join(''));
    t.same(await textsOf(dir, { tail }), tail === 0 ? [] : lines.slice(-tail));
  });
  await fc.assert(property, { numRuns: 30 });
});

t.test('the tail of a log goes back into the file before, once', async (t) => {
  const dir = t.testdir({ log: 'three\nfour\n', 'log.1': 'one\ntwo\n' });
  t.same(await textsOf(dir, { tail: 3 }), ['two', 'three', 'four']);
  t.same(await textsOf(dir, { tail: 9 }), ['one', 'two', 'three', 'four']);
});

t.test(
  'a log that is followed gives each line once when it is whole, over truncation and replacement',
  async (t) => {
    const dir = t.testdir({ log: 'one\ntw' });
    const log = join(dir, 'log');
    const steps: Record<string, () => Promise<void>> = {
      one: () => appendFile(log, 'o\n'),
      two: () => appendFile(log, 'three\nfour\n'),
      four: async () => {
        await truncate(log);
        await appendFile(log, '5\n');
      },
      '5': async () => {
        await writeFile(`${log}.new`, '6\n');
        await appendFile(log, 'last\n');
        await rename(`${log}.new`, log);
      },
    };
    const seen: string[] = [];
    const follow = new AbortController();
    for await (const { text } of read(dir, { tail: 5, follow: follow.signal })) {
      seen.push(text);
      await steps[text]?.();
      if (text === '6') follow.abort();
    }
    t.same(seen, ['one', 'two', 'three', 'four', '5', 'last', '6']);
  },
);

t.test('a log can be followed before it is there', async (t) => {
  const dir = join(t.testdir(), 'later');
  const lines = read(dir, { tail: 5, follow: new AbortController().signal })[Symbol.asyncIterator]();
  const first = lines.next();
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'log'), 'hello\n');
  t.match(await first, { value: { text: 'hello' } });
  await lines.return?.();
});

function read(logDir: string, options: LogOptions) {
  const path = join(logDir, 'log');
  const line = (text: string) => ({ stream: 'stdout' as const, text });
  const source = { path, older: [`${path}.1`, `${path}.1`], decoder: () => ({ line, rest: () => [] }) };
  return readLog({ logDir, sources: [source], clock: systemClock }, options);
}

async function textsOf(logDir: string, options: LogOptions): Promise<readonly string[]> {
  return (await Array.fromAsync(read(logDir, options))).map(({ text }) => text);
}
