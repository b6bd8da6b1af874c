import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../core/kit/exec.ts';
import { cgroupRoots } from './teardown.ts';

/** Everything of this machine that a lab could leave behind, one line for each thing. */
export async function fingerprint(): Promise<readonly string[]> {
  const lines = [
    ...prefixed('netns', await run('ip', ['netns', 'list'])),
    ...prefixed('link', await run('ip', ['-o', 'link', 'show'])),
    ...prefixed('nft', await run('nft', ['list', 'ruleset'])),
    ...prefixed('mount', readFileSync('/proc/self/mountinfo', 'utf8').replace(/^\d+ \d+ /gm, '')),
    ...cgroupRoots().flatMap((root) => groups(join(root, 'weir')).map((path) => `cgroup ${path}`)),
  ];
  return lines.toSorted();
}

/** Lines of `after` that `before` had not. */
export function added(before: readonly string[], after: readonly string[]): readonly string[] {
  const known = new Set(before);
  return after.filter((line) => !known.has(line));
}

function prefixed(kind: string, text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `${kind} ${line}`);
}

function groups(path: string): readonly string[] {
  try {
    const inner = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [path, ...inner.flatMap(({ name }) => groups(join(path, name)))];
  } catch {
    return [];
  }
}
