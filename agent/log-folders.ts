import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstanceId } from '../core/model/ids.ts';
import { fileName } from './file-name.ts';

/** What is kept of instances that have ended. */
export type LogBounds = {
  readonly instancesOfApp: number;
  readonly instances: number;
  readonly bytes: number;
};

const usual: LogBounds = { instancesOfApp: 5, instances: 500, bytes: 1024 ** 3 };

/** A folder for each container's log, which outlives the container: what a program wrote last is often why it ended. */
export class LogFolders {
  readonly #dir: string;
  readonly #bounds: LogBounds;

  constructor(dir: string, bounds: LogBounds = usual) {
    this.#dir = dir;
    this.#bounds = bounds;
  }

  /** Of a container; its id begins with its instance's and a dot. */
  path(instance: InstanceId, container: string): string {
    return join(this.#dir, fileName(instance), container.slice(instance.length + 1));
  }

  /** The containers of an instance that have a log here, those of its newest attempt last. */
  async containersOf(instance: InstanceId): Promise<readonly string[]> {
    const parts: readonly string[] = await readdir(join(this.#dir, fileName(instance))).catch(() => []);
    const attempt = (part: string) => Number.parseInt(part, 10);
    return parts.toSorted((a, b) => attempt(a) - attempt(b)).map((part) => `${instance}.${part}`);
  }

  /**
   * Removes the oldest logs of instances that do not live, until what is left is within the bounds. Who lives is
   * asked after the folders were listed, so that none of an instance that began meanwhile is among them.
   */
  async keepWithin(live: () => ReadonlySet<InstanceId>): Promise<void> {
    const names: readonly string[] = await readdir(this.#dir).catch(() => []);
    const liveNames = new Set([...live()].map(fileName));
    const ended = await Promise.all(
      names.filter((name) => !liveNames.has(name)).map((name) => measured(join(this.#dir, name), name)),
    );
    const newestFirst = ended.sort((a, b) => b.writtenAt - a.writtenAt);
    const ofApp = new Map<string, number>();
    let [instances, bytes] = [0, 0];
    for (const log of newestFirst) {
      const count = (ofApp.get(log.app) ?? 0) + 1;
      ofApp.set(log.app, count);
      instances += 1;
      bytes += log.bytes;
      const isTooMuch =
        count > this.#bounds.instancesOfApp ||
        instances > this.#bounds.instances ||
        bytes > this.#bounds.bytes;
      if (isTooMuch) await rm(log.path, { recursive: true, force: true });
    }
  }
}

type EndedLog = {
  readonly path: string;
  readonly app: string;
  readonly writtenAt: number;
  readonly bytes: number;
};

async function measured(path: string, name: string): Promise<EndedLog> {
  const files: readonly string[] = await readdir(path, { recursive: true }).catch(() => []);
  let [writtenAt, bytes] = [0, 0];
  for (const file of files) {
    const facts = await stat(join(path, file)).catch(() => undefined);
    if (facts === undefined) continue;
    writtenAt = Math.max(writtenAt, facts.mtimeMs);
    if (facts.isFile()) bytes += facts.size;
  }
  return { path, app: name.replace(/\.instance-.*/, ''), writtenAt, bytes };
}
