import { readFile } from 'node:fs/promises';

/** Where version 2 of control groups is mounted, alone or beside version 1. */
export async function cgroupRoot(): Promise<string | undefined> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  return /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
}
