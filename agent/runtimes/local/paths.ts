import { join } from 'node:path';
import { fileName } from '../../file-name.ts';
import type { ContainerId } from '../../runtime.ts';

/** Where a container's things are on disk. Only the monitor writes `claim`, `leader` and `exit` of a container that runs. */
export type ContainerPaths = {
  readonly name: string;
  readonly dir: string;
  /** The specification. Written last by `create`, removed last by `remove`: what has none is no container. */
  readonly spec: string;
  /** Who monitors it: a process mark. There can be one only; its presence means "start was begun". */
  readonly claim: string;
  /** Its first process: a process mark. */
  readonly leader: string;
  /** Present: the default action of SIGTERM was carried out for a first process that does not catch it. */
  readonly terminated: string;
  readonly oom: string;
  readonly sandbox: string;
  /** How it ended; in a directory of all containers, so that one watch sees every end. */
  readonly exit: string;
};

export function containersDir(dataDir: string): string {
  return join(dataDir, 'containers');
}

export function exitsDir(dataDir: string): string {
  return join(dataDir, 'exits');
}

export function pathsOf(dataDir: string, id: ContainerId): ContainerPaths {
  return pathsOfName(dataDir, fileName(id));
}

export function pathsOfName(dataDir: string, name: string): ContainerPaths {
  const dir = join(containersDir(dataDir), name);
  return {
    name,
    dir,
    spec: join(dir, 'spec.json'),
    claim: join(dir, 'claim'),
    leader: join(dir, 'leader'),
    terminated: join(dir, 'terminated'),
    oom: join(dir, 'oom'),
    sandbox: join(dir, 'sandbox'),
    exit: join(exitsDir(dataDir), name),
  };
}
