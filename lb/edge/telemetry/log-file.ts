import { close, fstatSync, open, statSync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock } from '../../../core/kit/clock.ts';

/** Where lines go that must not hold up whoever writes them. */
export interface Lines {
  add(line: string): void;
  /** How many could not be kept. */
  readonly lost: number;
  /** Resolves when all that was added is written. */
  flush(): Promise<void>;
}

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);

/** Lines wait so long for others, to be written together. */
const gatherMs = 200;
/** More characters than these do not wait: a disk that stands still must not fill the memory. */
const mostWaiting = 4 * 1024 * 1024;

/**
 * Lines at the end of a file, several processes at once: each write is a whole number of lines and appends. A file that was moved away
 * or deleted is begun anew before the next write, so that whoever rotates logs need not tell us.
 */
export class LogFile implements Lines {
  readonly #clock: Clock;
  readonly #path: string;
  #waiting: string[] = [];
  #size = 0;
  #lost = 0;
  #fd: number | undefined;
  #gathering = false;
  #written: Promise<void> = Promise.resolve();

  /** `-`: standard output. */
  constructor(clock: Clock, path: string) {
    this.#clock = clock;
    this.#path = path;
    if (path === '-') this.#fd = 1;
  }

  get lost(): number {
    return this.#lost;
  }

  add(line: string): void {
    if (this.#size + line.length > mostWaiting) {
      this.#lost++;
      return;
    }
    this.#waiting.push(line);
    this.#size += line.length;
    if (!this.#gathering) void this.#gather();
  }

  flush(): Promise<void> {
    this.#written = this.#written.then(() => this.#writeAll());
    return this.#written;
  }

  async #gather(): Promise<void> {
    this.#gathering = true;
    await this.#clock.sleep(gatherMs);
    await this.flush();
    this.#gathering = false;
    if (this.#waiting.length > 0) void this.#gather();
  }

  async #writeAll(): Promise<void> {
    const lines = this.#waiting.splice(0);
    if (lines.length === 0) return;
    this.#size = 0;
    try {
      await writeWhole(await this.#file(), Buffer.from(lines.join('')));
    } catch {
      this.#lost += lines.length;
    }
  }

  async #file(): Promise<number> {
    const known = this.#fd;
    if (known !== undefined && (this.#path === '-' || isAt(known, this.#path))) return known;
    this.#fd = undefined;
    if (known !== undefined) await closeFile(known).catch(() => {});
    this.#fd = await openFile(this.#path, 'a', 0o640);
    return this.#fd;
  }
}

async function writeWhole(fd: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await writeFile(fd, bytes.subarray(at))).bytesWritten;
}

function isAt(fd: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const ours = fstatSync(fd);
  return there?.ino === ours.ino && there.dev === ours.dev;
}
