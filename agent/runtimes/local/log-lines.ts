import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../../../core/kit/errors.ts';

const chunk = 64 * 1024;
/** Bytes read in one go when following. */
const atOnce = 1024 * 1024;

/** A place in a file that may be replaced under its name. */
export type FilePlace = { readonly ino: number; readonly offset: number };

export type TailOptions = {
  /** True when the lines read so far, the newest, suffice. */
  readonly enough: (lines: readonly string[]) => boolean;
  /** Whether a last line without its end counts; if not, `end` is before it. */
  readonly unfinished: boolean;
};

/** The newest lines of a file, oldest first, read from its end; more than `enough` asks for if they come at once. */
export async function tailLines(
  path: string,
  options: TailOptions,
): Promise<{ lines: readonly string[]; end: FilePlace }> {
  const file = await open(path).catch((error) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return { lines: [], end: { ino: 0, offset: 0 } };
  try {
    const { size, ino } = await file.stat();
    let start = size;
    let text: Buffer = Buffer.alloc(0);
    let lines: readonly string[] = [];
    let offset = options.unfinished ? size : 0;
    while (start > 0 && (offset === 0 || !options.enough(lines))) {
      const length = Math.min(chunk, start);
      start -= length;
      text = Buffer.concat([await readAt(file, start, length), text]);
      if (!options.unfinished) {
        const whole = text.lastIndexOf(0x0a) + 1;
        if (whole === 0) continue;
        text = text.subarray(0, whole);
        offset = start + whole;
      }
      lines = splitLines(text, { whole: start === 0 });
    }
    return { lines, end: { ino, offset } };
  } finally {
    await file.close();
  }
}

/** Reads what is added to a file that may be cut short or replaced under its name. */
export class GrowingFile {
  readonly #path: string;
  #place: FilePlace;
  #rest = Buffer.alloc(0);

  /** From that place on if it is still the same file; from the start of any other. */
  constructor(path: string, from: FilePlace) {
    this.#path = path;
    this.#place = from;
  }

  /** Lines completed since the last call. */
  async more(): Promise<readonly string[]> {
    const file = await open(this.#path).catch(() => undefined);
    if (file === undefined) return [];
    try {
      const { size, ino } = await file.stat();
      if (ino !== this.#place.ino || size < this.#place.offset) this.#restart(ino);
      const { offset } = this.#place;
      const added = await readAt(file, offset, Math.min(size - offset, atOnce));
      this.#place = { ino, offset: offset + added.length };
      return this.#complete(added);
    } finally {
      await file.close();
    }
  }

  #complete(added: Buffer): readonly string[] {
    const text = Buffer.concat([this.#rest, added]);
    const end = text.lastIndexOf(0x0a) + 1;
    this.#rest = Buffer.from(text.subarray(end));
    return end === 0 ? [] : splitLines(text.subarray(0, end), { whole: true });
  }

  #restart(ino: number): void {
    this.#place = { ino, offset: 0 };
    this.#rest = Buffer.alloc(0);
  }
}

/** Unless the text is whole, its first line is only a part and is left out. */
function splitLines(text: Buffer, options: { whole: boolean }): string[] {
  const lines = text.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return options.whole ? lines : lines.slice(1);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, length));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
