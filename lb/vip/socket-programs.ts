import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** What virtual IPs at the socket are made of: compiled by scripts/setup where clang is. */
export const socketPrograms = fileURLToPath(new URL('./backends/ebpf/vip.bpf.o', import.meta.url));

/** Where version 2 of control groups is mounted, alone or beside version 1. */
export async function cgroupRoot(): Promise<string | undefined> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  return /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
}
