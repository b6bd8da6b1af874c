import { constants } from 'node:fs';
import { access, readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

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

/** Removes directories of /weir/SCOPE, deepest first, from every hierarchy where they are empty. */
export async function removeEmptyCgroups(scope: string, name?: string): Promise<void> {
  const hierarchies = (await exists(join(root, 'cgroup.controllers')))
    ? [root]
    : (await readdir(root)).map((entry) => join(root, entry));
  for (const hierarchy of hierarchies) {
    const ofScope = join(hierarchy, 'weir', scope);
    const dirs = name === undefined ? [ofScope, join(hierarchy, 'weir')] : [join(ofScope, name)];
    for (const dir of dirs) await rmdir(dir).catch(() => {});
  }
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
