import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogStream } from '../../runtime.ts';
import type { LogSource } from '../local/read-log.ts';

/** One plain file per stream; what was cut off at the last trim is beside it. */
export function plainSources(logDir: string, stream: LogStream | undefined): readonly LogSource[] {
  const streams: readonly LogStream[] = stream === undefined ? ['stdout', 'stderr'] : [stream];
  return streams.map((name) => {
    const path = logFile(logDir, name);
    const line = (text: string) => ({ stream: name, text });
    return { path, older: [`${path}.1`], decoder: () => ({ line, rest: () => [] }) };
  });
}

export function logFile(logDir: string, stream: LogStream): string {
  return join(logDir, stream);
}

/** Moves the content of files longer than `bytes` aside; what is written in that moment may be lost. */
export async function trimLogs(logDir: string, bytes: number): Promise<void> {
  for (const { path } of plainSources(logDir, undefined)) {
    const size = await stat(path).then(
      (stats) => stats.size,
      () => 0,
    );
    if (size <= bytes) continue;
    await copyFile(path, `${path}.1`);
    await truncate(path);
  }
}
