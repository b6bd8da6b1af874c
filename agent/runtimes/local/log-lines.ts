import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../../../core/kit/errors.ts';

const chunk = 64 * 1024;

/** The newest lines of a file, oldest first, read from its end; as many as `enough` asks for, more if they come at once. */
export async function tailLines(
  path: string,
  enough: (lines: readonly string[]) => boolean,
): Promise<{ lines: readonly string[]; end: number; ino: number }> {
  const file = await open(path).catch((error) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return { lines: [], end: 0, ino: 0 };
  try {
    const { size, ino } = await file.stat();
    let start = size;
    let text = Buffer.alloc(0);
    let lines: string[] = [];
    while (start > 0 && !enough(lines)) {
      const length = Math.min(chunk, start);
      start -= length;
      text = Buffer.concat([await readAt(file, start, length), text]);
      lines = splitLines(text, { whole: start === 0 });
    }
    return { lines, end: size, ino };
  } finally {
    await file.close();
  }
}

/** Reads what is added to a file that may be cut short or replaced under its name. */
export class GrowingFile {
  readonly #path: string;
  #ino: number;
  #offset: number;
  #rest = Buffer.alloc(0);

  /** From `offset` of the file that has that inode number; from the start of any other. */
  constructor(path: string, from: { offset: number; ino: number }) {
    this.#path = path;
    this.#ino = from.ino;
    this.#offset = from.offset;
  }

  /** Lines completed since the last call. */
  async more(): Promise<readonly string[]> {
    const file = await open(this.#path).catch(() => undefined);
    if (file === undefined) return [];
    try {
      const { size, ino } = await file.stat();
      if (ino !== this.#ino || size < this.#offset) this.#restart(ino);
      const added = await readAt(file, this.#offset, size - this.#offset);
      this.#offset += added.length;
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
    this.#ino = ino;
    this.#offset = 0;
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
