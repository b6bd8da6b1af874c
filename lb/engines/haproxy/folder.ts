import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What HAProxy reads and writes: configuration, maps, certificates, sockets. For nobody else: there are keys in it. */
export class Folder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), 'weir-haproxy-')));
  }

  async write(files: Iterable<readonly [name: string, text: string]>): Promise<void> {
    const all = [...files].map(([name, text]) => writeFile(join(this.path, name), text, { mode: 0o600 }));
    await Promise.all(all);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
