import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import {
  applyDelta,
  type Directory,
  type DirectoryDelta,
  emptyDirectory,
  snapshotDelta,
} from '../core/model/directory.ts';

type Kept = DirectoryDelta & { readonly edge?: boolean };

/** The last Directory on disk, so that names, virtual IPs and routes are served after a restart without a master. */
export class DirectoryFile {
  readonly #path: string;
  readonly #log: Log;
  #writing: Promise<void> | undefined;
  #again = false;
  readonly #edge: boolean;
  #complete = true;
  #withheld = false;

  /** `edge`: there are certificates in it. */
  constructor(path: string, log: Log, { edge = false }: { readonly edge?: boolean } = {}) {
    this.#edge = edge;
    this.#path = path;
    this.#log = log;
  }

  async load(): Promise<Directory | undefined> {
    try {
      const kept = JSON.parse(await readFile(this.#path, 'utf8')) as Kept;
      this.#complete = !this.#edge || kept.edge === true;
      return applyDelta(emptyDirectory, kept);
    } catch {
      return undefined;
    }
  }

  /** False: what was loaded was kept while there was no edge here, so certificates are missing. */
  get complete(): boolean {
    return this.#complete;
  }

  get withheld(): boolean {
    return this.#withheld;
  }

  /** Writes soon; changes that come while writing are written once more at the end, together. `withheld`: no keys were told. */
  changed(directory: () => Directory, { withheld = false } = {}): void {
    this.#again = true;
    this.#withheld = withheld;
    this.#complete = !withheld;
    this.#writing ??= this.#write(directory);
  }

  async save(directory: Directory): Promise<void> {
    await this.#writing;
    if (directory.revision > 0) await this.#put(directory);
  }

  async #write(directory: () => Directory): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#put(directory());
    }
    // In the same turn as the last look, or a change in between would wait for the next.
    this.#writing = undefined;
  }

  async #put(directory: Directory): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      // Keys of certificates are in it. A file that is left from before would keep its mode.
      await rm(`${this.#path}.new`, { force: true });
      await writeFile(
        `${this.#path}.new`,
        JSON.stringify({ ...snapshotDelta(directory), edge: this.#edge && !this.#withheld } satisfies Kept),
        { mode: 0o600 },
      );
      await rename(`${this.#path}.new`, this.#path);
    } catch (error) {
      this.#log.error('the Directory cannot be kept on disk', { path: this.#path, error: errorText(error) });
    }
  }
}
