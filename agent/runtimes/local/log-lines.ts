import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../../../core/kit/errors.ts';

/** Bytes read in one go. */
const fromTheEnd = 64 * 1024;
const following = 1024 * 1024;

type Tail = {
  /** Oldest first. */
  readonly lines: readonly string[];
  /** Offset of what follows them. */
  readonly end: number;
};

export type TailOptions = {
  /** True when the lines read so far, the newest, suffice. */
  readonly enough: (lines: readonly string[]) => boolean;
  /** Whether a last line without its end counts; if not, `end` is before it. */
  readonly unfinished: boolean;
};

/** The newest lines of an open file, read from its end; more than `enough` asks for if they come at once. */
async function tailLines(file: FileHandle, options: TailOptions): Promise<Tail> {
  const { size } = await file.stat();
  let text: Buffer = Buffer.alloc(0);
  let tail: Tail = { lines: [], end: options.unfinished ? size : 0 };
  for (let start = size; start > 0 && !options.enough(tail.lines); ) {
    const length = Math.min(fromTheEnd, start);
    start -= length;
    text = Buffer.concat([await readAt(file, start, length), text]);
    const whole = options.unfinished ? text.length : text.lastIndexOf(0x0a) + 1;
    if (whole > 0) {
      const lines = splitLines(text.subarray(0, whole), { fromStart: start === 0 });
      tail = { lines, end: start + whole };
    }
  }
  return tail;
}

/** The file, or undefined when there is none. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path).catch((error) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
}

/** Reads what is added to a file that may be cut short, or replaced under its name; then it is first read to its end. */
export class GrowingFile implements AsyncDisposable {
  readonly #path: string;
  #file: FileHandle | undefined;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(path: string, file: FileHandle | undefined) {
    this.#path = path;
    this.#file = file;
  }

  static async open(path: string): Promise<GrowingFile> {
    return new GrowingFile(path, await openIfThere(path));
  }

  /** The newest lines as of now; `more` goes on after them. */
  async tail(options: TailOptions): Promise<readonly string[]> {
    if (this.#file === undefined) return [];
    const tail = await tailLines(this.#file, options);
    this.#offset = tail.end;
    return tail.lines;
  }

  async inode(): Promise<number | undefined> {
    return (await this.#file?.stat())?.ino;
  }

  /** Lines completed since the last call; none: nothing new is there. */
  async more(): Promise<readonly string[]> {
    for (;;) {
      const added = await this.#read();
      if (added.length === 0 && !(await this.#moveOn())) return [];
      const lines = this.#complete(added);
      if (lines.length > 0) return lines;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #read(): Promise<Buffer> {
    if (this.#file === undefined) return Buffer.alloc(0);
    const { size } = await this.#file.stat();
    if (size < this.#offset) this.#offset = 0;
    const added = await readAt(this.#file, this.#offset, Math.min(size - this.#offset, following));
    this.#offset += added.length;
    return added;
  }

  /** True when another file has taken the name; it is open then. */
  async #moveOn(): Promise<boolean> {
    const next = await openIfThere(this.#path);
    if (next === undefined) return false;
    const same = (await this.inode()) === (await next.stat()).ino;
    await (same ? next : this.#file)?.close();
    if (same) return false;
    this.#file = next;
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    return true;
  }

  #complete(added: Buffer): readonly string[] {
    const text = Buffer.concat([this.#rest, added]);
    const end = text.lastIndexOf(0x0a) + 1;
    this.#rest = Buffer.from(text.subarray(end));
    return end === 0 ? [] : splitLines(text.subarray(0, end), { fromStart: true });
  }
}

/** Unless the text begins where the file does, its first line is only a part and is left out. */
function splitLines(text: Buffer, options: { fromStart: boolean }): readonly string[] {
  const lines = text.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return options.fromStart ? lines : lines.slice(1);
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
