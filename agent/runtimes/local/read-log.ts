import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../../core/kit/clock.ts';
import type { LogLine, LogOptions } from '../../runtime.ts';
import { Doorbell } from './doorbell.ts';
import { GrowingFile } from './log-lines.ts';

/** One growing file and those it was before. */
export type LogSource = {
  readonly path: string;
  /** Newest first; may be missing, and may be another name of `path`. */
  readonly older: readonly string[];
  /** A fresh reader of the file's lines. */
  readonly decoder: () => LogDecoder;
};

export type LogDecoder = {
  /** What a line of the file completes, if anything. */
  line(text: string): LogLine | undefined;
  /** What was begun and not completed. */
  rest(): readonly LogLine[];
};

/** A missed change is seen this much later. */
const lookAgainMs = 1_000;

export async function* readLog(
  where: { logDir: string; sources: readonly LogSource[]; clock: Clock },
  options: LogOptions,
): AsyncIterable<LogLine> {
  const { follow } = options;
  if (follow !== undefined) await mkdir(where.logDir, { recursive: true });
  using bell = follow && new Doorbell(where.logDir, { clock: where.clock, signal: follow });
  await using files = new AsyncDisposableStack();
  const readers: (() => Promise<readonly LogLine[]>)[] = [];
  for (const source of where.sources) {
    const growing = files.use(await GrowingFile.open(source.path));
    yield* await newestLines(source, { growing, options });
    const decoder = source.decoder();
    readers.push(async () => decode(decoder, await growing.more()));
  }
  while (bell !== undefined && !follow?.aborted) {
    for (const reader of readers) {
      for (let lines = await reader(); lines.length > 0; lines = await reader())
        yield* wanted(lines, options);
    }
    await bell.answer(lookAgainMs);
  }
}

async function newestLines(
  source: LogSource,
  from: { growing: GrowingFile; options: LogOptions },
): Promise<readonly LogLine[]> {
  const { growing, options } = from;
  const unfinished = options.follow === undefined;
  let found: readonly LogLine[] = [];
  const decoded = (lines: readonly string[]) => {
    const decoder = source.decoder();
    const whole = decode(decoder, lines);
    return wanted(unfinished ? [...whole, ...decoder.rest()] : whole, options);
  };
  // One more than asked for: the first may have begun before what was read.
  const enough = (lines: readonly string[]) => found.length + decoded(lines).length > options.tail;
  found = decoded(await growing.tail({ enough, unfinished }));
  const seen = new Set([await growing.inode()]);
  for (const path of source.older) {
    if (found.length > options.tail) break;
    await using older = await GrowingFile.open(path);
    const inode = await older.inode();
    if (!seen.has(inode)) found = [...decoded(await older.tail({ enough, unfinished })), ...found];
    seen.add(inode);
  }
  return options.tail === 0 ? [] : found.slice(-options.tail);
}

function decode(decoder: LogDecoder, lines: readonly string[]): readonly LogLine[] {
  return lines.map((line) => decoder.line(line)).filter((line) => line !== undefined);
}

function wanted(lines: readonly LogLine[], options: LogOptions): readonly LogLine[] {
  return options.stream === undefined ? lines : lines.filter((line) => line.stream === options.stream);
}
