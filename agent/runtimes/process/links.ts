import { mkdir, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { ContainerSpec, Mount } from '../../runtime.ts';

/** Whether a volume can be had without mounting: it is where it is on the machine, or somewhere below the sandbox. */
export function isLinkable({ hostPath, containerPath }: Mount): boolean {
  if (hostPath === containerPath) return true;
  const below = relative('/sandbox', resolve('/sandbox', containerPath));
  return !isAbsolute(containerPath) && below !== '' && !below.startsWith('..');
}

/** Volumes below the sandbox, as symbolic links. Whether they are for reading only is not enforced. */
export async function linkVolumes({ mounts }: ContainerSpec, sandbox: string): Promise<void> {
  for (const { hostPath, containerPath } of mounts) {
    if (hostPath === containerPath) continue;
    const link = join(sandbox, containerPath);
    await mkdir(dirname(link), { recursive: true });
    await symlink(resolve(sandbox, hostPath), link);
  }
}
