import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders that the containers of a pod share; they live as long as the instance. */
export interface Volumes {
  /** Where a volume of an instance is, once it is there. */
  path(key: string, name: string): string;
  /** Makes them, empty, if need be. */
  create(key: string, names: readonly string[]): Promise<void>;
  /** Removes all of an instance; none is not an error. */
  remove(key: string): Promise<void>;
  /** Removes those of instances that are not among these. */
  keep(keys: ReadonlySet<string>): Promise<void>;
}

export class VolumeFolders implements Volumes {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  path(key: string, name: string): string {
    return join(this.#dir, key, name);
  }

  async create(key: string, names: readonly string[]): Promise<void> {
    for (const name of names) {
      await mkdir(this.path(key, name), { recursive: true });
      // Containers of one pod may run as different users.
      await chmod(this.path(key, name), 0o1777);
    }
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#dir, key), { recursive: true, force: true });
  }

  async keep(keys: ReadonlySet<string>): Promise<void> {
    const found: readonly string[] = await readdir(this.#dir).catch(() => []);
    for (const key of found) if (!keys.has(key)) await this.remove(key);
  }
}
