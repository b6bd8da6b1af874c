import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../core/kit/clock.ts';
import type { LogLine, LogOptions, LogStream } from '../../runtime.ts';
import { Doorbell } from '../local/doorbell.ts';
import { GrowingFile, tailLines } from '../local/log-lines.ts';

export const stdoutFile = (logDir: string): string => join(logDir, 'stdout');
export const stderrFile = (logDir: string): string => join(logDir, 'stderr');

/** One plain file per stream; the common order of the two is not known. */
export async function* readPlainLog(logDir: string, options: LogOptions): AsyncIterable<LogLine> {
  const { stream, tail, follow } = options;
  const streams: readonly LogStream[] = stream === undefined ? ['stdout', 'stderr'] : [stream];
  if (follow !== undefined) await mkdir(logDir, { recursive: true });
  const bell =
    follow === undefined ? undefined : new Doorbell(logDir, { clock: systemClock, signal: follow });
  const growing: { stream: LogStream; file: GrowingFile }[] = [];
  for (const name of streams) {
    const path = join(logDir, name);
    const { lines, end, ino } = await tailLines(path, (found) => found.length >= tail);
    for (const text of newest(lines, tail)) yield { stream: name, text };
    growing.push({ stream: name, file: new GrowingFile(path, { offset: end, ino }) });
  }
  while (bell !== undefined && !follow?.aborted) {
    for (const { stream: name, file } of growing)
      for (const text of await file.more()) yield { stream: name, text };
    await bell.answer(1_000);
  }
}

function newest<T>(items: readonly T[], count: number): readonly T[] {
  return count === 0 ? [] : items.slice(-count);
}
