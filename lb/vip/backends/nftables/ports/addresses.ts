import { type Family, familyWords } from '../family.ts';
import type { HostExec } from '../host.ts';

/** Addresses of this machine that others may come to: none of its loopback, and none that hold on one link only. */
export async function machineAddresses(exec: HostExec, family: Family): Promise<readonly string[]> {
  const { exitCode, stdout } = await exec('ip', [familyWords(family).flag, '-json', 'address', 'show']);
  return exitCode === 0 ? parseAddresses(stdout) : [];
}

export function parseAddresses(json: string): readonly string[] {
  const links: unknown = JSON.parse(json || '[]');
  if (!Array.isArray(links)) return [];
  const all = links.flatMap((link) => (Array.isArray(link?.addr_info) ? link.addr_info : []));
  const local = all.flatMap(({ local, scope }) =>
    typeof local === 'string' && scope === 'global' && !local.startsWith('127.') ? [local] : [],
  );
  return [...new Set(local)].sort();
}
