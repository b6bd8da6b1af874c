import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerId, ContainerSpec } from '../../runtime.ts';
import { isThere, readIfThere, writeWhole } from './files.ts';
import { type ContainerPaths, containersDir, exitsDir, pathsOf, pathsOfName } from './paths.ts';

export type ContainerRecord = { readonly spec: ContainerSpec; readonly paths: ContainerPaths };

/** The containers of a data directory. One agent at a time works on one. */
export class ContainerRecords {
  readonly #dataDir: string;
  readonly #known = new Map<string, ContainerRecord>();
  readonly #beingMade = new Set<string>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** All of them; what a killed agent left half made or half removed is cleared on the way. */
  async list(): Promise<readonly ContainerRecord[]> {
    await this.#makeDirs();
    const names = await readdir(containersDir(this.#dataDir));
    const records = await Promise.all(names.map((name) => this.#load(name)));
    return records.filter((record) => record !== undefined);
  }

  async find(id: ContainerId): Promise<ContainerRecord | undefined> {
    const { name } = pathsOf(this.#dataDir, id);
    return this.#beingMade.has(name) ? undefined : this.#load(name, { keep: true });
  }

  /** Makes the directory, lets `prepare` fill it, and only then lets the container exist. False: it existed. */
  async add(spec: ContainerSpec, prepare: (paths: ContainerPaths) => Promise<void>): Promise<boolean> {
    const paths = pathsOf(this.#dataDir, spec.id);
    if (this.#beingMade.has(paths.name) || (await isThere(paths.spec))) return false;
    this.#beingMade.add(paths.name);
    try {
      await this.#makeDirs();
      await this.#clear(paths);
      await mkdir(paths.dir, { mode: 0o711 });
      await prepare(paths);
      await writeWhole(paths.spec, JSON.stringify(spec));
    } catch (error) {
      await this.#clear(paths);
      throw error;
    } finally {
      this.#beingMade.delete(paths.name);
    }
    return true;
  }

  /** Deletes everything, the specification last: killed half-way, it is still listed. */
  async remove(record: ContainerRecord): Promise<void> {
    const { dir, spec } = record.paths;
    const others = (await readdir(dir)).map((name) => join(dir, name)).filter((path) => path !== spec);
    await Promise.all(others.map((path) => rm(path, { recursive: true, force: true })));
    await this.#clear(record.paths);
  }

  async #load(name: string, options: { keep?: boolean } = {}): Promise<ContainerRecord | undefined> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const paths = pathsOfName(this.#dataDir, name);
    const text = await readIfThere(paths.spec);
    if (text === undefined) {
      if (!options.keep && !this.#beingMade.has(name)) await this.#clear(paths);
      return undefined;
    }
    const record = { paths, spec: parseSpec(text) };
    this.#known.set(name, record);
    return record;
  }

  async #makeDirs(): Promise<void> {
    await mkdir(containersDir(this.#dataDir), { recursive: true, mode: 0o711 });
    await mkdir(exitsDir(this.#dataDir), { recursive: true, mode: 0o711 });
  }

  async #clear(paths: ContainerPaths): Promise<void> {
    this.#known.delete(paths.name);
    await rm(paths.spec, { force: true });
    await rm(paths.exit, { force: true });
    await rm(paths.dir, { recursive: true, force: true });
  }
}

/** Only this file writes specifications, whole or not at all. */
function parseSpec(text: string): ContainerSpec {
  return JSON.parse(text) as ContainerSpec;
}
