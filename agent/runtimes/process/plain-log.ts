import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../core/kit/clock.ts';
import type { LogLine, LogOptions, LogStream } from '../../runtime.ts';
import { Doorbell } from '../local/doorbell.ts';
import { GrowingFile, tailLines } from '../local/log-lines.ts';

const streams: readonly LogStream[] = ['stdout', 'stderr'];
/** A missed change is seen this much later. */
const lookAgainMs = 1_000;

export const stdoutFile = (logDir: string): string => join(logDir, 'stdout');
export const stderrFile = (logDir: string): string => join(logDir, 'stderr');

/** One plain file per stream; the common order of the two is not known. */
export async function* readPlainLog(logDir: string, options: LogOptions): AsyncIterable<LogLine> {
  const { stream, tail, follow } = options;
  if (follow !== undefined) await mkdir(logDir, { recursive: true });
  using bell = follow && new Doorbell(logDir, { clock: systemClock, signal: follow });
  const growing: { stream: LogStream; file: GrowingFile }[] = [];
  for (const name of stream === undefined ? streams : [stream]) {
    const path = join(logDir, name);
    const newest = await tailLines(path, {
      enough: (lines) => lines.length > tail,
      unfinished: bell === undefined,
    });
    for (const text of lastOf(newest.lines, tail)) yield { stream: name, text };
    growing.push({ stream: name, file: new GrowingFile(path, newest.end) });
  }
  while (bell !== undefined && !follow?.aborted) {
    for (const { stream: name, file } of growing)
      for (const text of await file.more()) yield { stream: name, text };
    await bell.answer(lookAgainMs);
  }
}

function lastOf<T>(items: readonly T[], count: number): readonly T[] {
  return count === 0 ? [] : items.slice(-count);
}
