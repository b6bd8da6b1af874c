import { readFile, statfs } from 'node:fs/promises';
import type { Mount } from './runtime.ts';

/** What a container's root file system is made of; the container's own layer goes on top of `lower`. */
export type RootfsPlan = {
  readonly lower: string;
  /** Mounted at the same path as on the machine. */
  readonly binds: readonly Mount[];
  /** Directories the container sees empty. */
  readonly hidden: readonly string[];
};

/** The machine's own files, but for its /tmp (the container gets `tmp`) and `dataDir`, which holds everybody's secrets. */
export async function hostRootfs(options: { dataDir: string; tmp: string }): Promise<RootfsPlan> {
  const { dataDir, tmp } = options;
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  return {
    lower: '/',
    binds: [
      { hostPath: tmp, containerPath: '/tmp', mode: 'RW' },
      ...otherFileSystems(mountinfo).map((path): Mount => {
        return { hostPath: path, containerPath: path, mode: 'RO' };
      }),
    ],
    hidden: isWithin('/tmp', dataDir) ? [] : [dataDir],
  };
}

const onDisk = /^(ext[234]|xfs|btrfs|zfs|f2fs|nfs4?|9p|virtiofs)$/;
const ofTheMachine = ['/proc', '/sys', '/dev', '/run', '/tmp', '/boot'];

/**
 * Where other file systems are mounted on the machine, parents first (an overlay shows only the one it lies on). Those the
 * container has its own of, and single files, are left out. proc_pid_mountinfo(5).
 */
export function otherFileSystems(mountinfo: string): readonly string[] {
  const mounted = mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const path = unescapeOctal(before.split(' ')[4] ?? '/');
    const ours = path === '/' || ofTheMachine.some((dir) => isWithin(dir, path));
    return !ours && onDisk.test(after.split(' ')[0] ?? '') ? [path] : [];
  });
  return [...new Set(mounted)].sort();
}

const overlayMagic = 0x794c7630;

/** An overlay cannot be the upper layer of another: with the data directory on one, containers write to memory. */
export async function isOnOverlay(path: string): Promise<boolean> {
  return (await statfs(path)).type === overlayMagic;
}

export function isWithin(dir: string, path: string): boolean {
  return path === dir || path.startsWith(dir === '/' ? '/' : `${dir}/`);
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
