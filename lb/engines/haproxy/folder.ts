import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../../../core/kit/errors.ts';

/** A folder's name begins with it and the number of the process that made it. */
const prefix = 'weir-haproxy-';

/** What HAProxy reads and writes: configuration, maps, certificates, sockets. For nobody else: there are keys in it. */
export class Folder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Also removes what processes that were killed have left `within`. */
  static async make(within = tmpdir()): Promise<Folder> {
    for (const name of await readdir(within)) if (isLeft(name)) await removed(join(within, name));
    return new Folder(await mkdtemp(join(within, `${prefix}${process.pid}-`)));
  }

  async write(files: Iterable<readonly [name: string, text: string]>): Promise<void> {
    const all = [...files].map(([name, text]) => writeFile(join(this.path, name), text, { mode: 0o600 }));
    await Promise.all(all);
  }

  async remove(): Promise<void> {
    await removed(this.path);
  }
}

function isLeft(name: string): boolean {
  const maker = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined;
  if (maker === undefined) return false;
  try {
    process.kill(Number(maker), 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

function removed(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}
