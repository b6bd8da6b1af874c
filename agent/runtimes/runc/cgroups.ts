import { constants } from 'node:fs';
import { access, readdir, readFile, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorCode } from '../../../core/kit/errors.ts';

const root = '/sys/fs/cgroup';

export type CgroupFacts = {
  /** 1 also where version 2 is mounted beside it (hybrid); absent: none is mounted. */
  readonly version?: 1 | 2;
  readonly writable: boolean;
  readonly limitsSwap: boolean;
};

export async function cgroupFacts(): Promise<CgroupFacts> {
  if (await exists(join(root, 'cgroup.controllers'))) {
    return { version: 2, writable: await isWritable(root), limitsSwap: true };
  }
  const memory = join(root, 'memory');
  if (!(await exists(join(memory, 'memory.limit_in_bytes')))) return { writable: false, limitsSwap: false };
  return {
    version: 1,
    writable: await isWritable(memory),
    limitsSwap: await exists(join(memory, 'memory.memsw.limit_in_bytes')),
  };
}

/** Ends what is left in a container's cgroup and removes it from every hierarchy; gives up after a few seconds. */
export async function removeCgroup(scope: string, name: string, clock: Clock): Promise<void> {
  const giveUp = clock.now() + 5_000;
  let left = (await hierarchies()).map((hierarchy) => join(hierarchy, 'weir', scope, name));
  while (left.length > 0 && clock.now() < giveUp) {
    const removed = await Promise.all(left.map(removeDir));
    left = left.filter((_, index) => !removed[index]);
    if (left.length > 0) await clock.sleep(5);
  }
}

/** Removes the directory of a scope, and Weir's own, from every hierarchy where they are empty. A scope may be a path. */
export async function removeEmptyScope(scope: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    for (let path = join('weir', scope); path !== '.'; path = dirname(path)) {
      await rmdir(join(hierarchy, path)).catch(() => {});
    }
  }
}

async function hierarchies(): Promise<readonly string[]> {
  if (await exists(join(root, 'cgroup.controllers'))) return [root];
  return (await readdir(root)).map((entry) => join(root, entry));
}

/** True when it is gone. */
async function removeDir(dir: string): Promise<boolean> {
  const processes = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '');
  for (const pid of processes.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
  return rmdir(dir).then(
    () => true,
    (error) => errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR',
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}
