import { link, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLine, LogStream } from '../../runtime.ts';
import type { LogDecoder, LogSource } from '../local/read-log.ts';

/** conmon writes both streams to one file, in order, and starts it anew when it is full. */
export function logFile(logDir: string): string {
  return join(logDir, 'log');
}

export function conmonSources(logDir: string): readonly LogSource[] {
  const path = logFile(logDir);
  return [{ path, older: [`${path}.kept`, `${path}.1`], decoder: conmonDecoder }];
}

/**
 * Sees to it that a full file is not lost when conmon puts an empty one in its place: a second name holds the present
 * file; once the two names mean different files, the second has the full one.
 */
export async function keepFullLog(logDir: string): Promise<void> {
  const path = logFile(logDir);
  const [current, kept] = await Promise.all([inode(path), inode(`${path}.kept`)]);
  if (current === undefined || current === kept) return;
  if (kept !== undefined) await rename(`${path}.kept`, `${path}.1`);
  await link(path, `${path}.kept`).catch(() => {});
}

/** Lines are `2026-01-01T00:00:00.000000000+00:00 stdout F text`; P instead of F: the line goes on in the stream's next. */
export function conmonDecoder(): LogDecoder {
  const begun = new Map<LogStream, string>();
  return {
    line(raw) {
      const parts = parse(raw);
      if (parts === undefined) return undefined;
      const text = (begun.get(parts.stream) ?? '') + parts.text;
      begun.delete(parts.stream);
      if (parts.whole) return { stream: parts.stream, text, at: parts.at };
      begun.set(parts.stream, text);
      return undefined;
    },
    rest: () => [...begun].map(([stream, text]): LogLine => ({ stream, text })),
  };
}

const pattern = /^(\S+) (stdout|stderr) ([FP]) (.*)$/s;

function parse(raw: string): { stream: LogStream; whole: boolean; text: string; at: number } | undefined {
  const match = pattern.exec(raw);
  if (match === null) return undefined;
  const [, time = '', stream, tag, text = ''] = match;
  return {
    stream: stream === 'stderr' ? 'stderr' : 'stdout',
    whole: tag === 'F',
    text,
    at: Date.parse(time),
  };
}

async function inode(path: string): Promise<number | undefined> {
  return stat(path).then(
    (stats) => stats.ino,
    () => undefined,
  );
}
