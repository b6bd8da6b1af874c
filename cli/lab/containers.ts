import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { becomes, signalTo } from '../../conformance/lab/processes.ts';
import { cgroupRoots } from '../../conformance/lab/teardown.ts';
import { tryRun } from '../../core/kit/exec.ts';

/** What containers of a lab's agents hold outside of the lab's folder and its hosts' namespaces. */
export type Holdings = {
  /** Control groups, `/weir/SCOPE`: one for all containers of an agent. */
  readonly cgroups: readonly string[];
  /** Network namespaces by the name `ip netns` shows. */
  readonly namespaces: readonly string[];
};

/** Read from what the agents wrote down before they made anything, so it is complete after a crash as well. */
export function holdingsBelow(dir: string): Holdings {
  const agents = entries(dir).map((host) => join(dir, host, 'agent'));
  const files = agents.flatMap((agent) => [
    ...entries(join(agent, 'instances')).map((name) => join(agent, 'instances', name)),
    ...entries(join(agent, 'containers')).map((name) => join(agent, 'containers', name, 'config.json')),
  ]);
  const text = files.map(content).join('\n');
  const found = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map((match) => match[1]!))];
  return {
    cgroups: found(/"(\/weir\/[0-9a-z-]+)\//g),
    namespaces: found(/\/run\/netns\/(weir-[0-9a-z-]+)"/g),
  };
}

/** Ends the containers and removes what they held. Gives what could not be removed. */
export async function removeHoldings({ cgroups, namespaces }: Holdings): Promise<readonly string[]> {
  const groups = cgroupRoots().flatMap((root) => cgroups.flatMap((cgroup) => tree(join(root, cgroup))));
  const gone = await becomes(async () => {
    for (const pid of groups.flatMap(processesIn)) signalTo(pid, 'SIGKILL');
    for (const group of groups) attempt(() => rmdirSync(group));
    return groups.every((group) => entries(group).length === 0);
  }, 10_000);
  for (const name of namespaces) await tryRun('ip', ['netns', 'del', name]);
  const left = gone ? [] : groups.filter((group) => entries(group).length > 0);
  return [...left, ...namespaces.filter((name) => entries('/run/netns').includes(name))];
}

/** Deepest first. */
function tree(path: string): readonly string[] {
  const inner = attempt(() => readdirSync(path, { withFileTypes: true })) ?? [];
  const groups = inner.filter((entry) => entry.isDirectory()).flatMap(({ name }) => tree(join(path, name)));
  return inner.length === 0 ? [] : [...groups, path];
}

function processesIn(group: string): readonly number[] {
  return content(join(group, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
}

function entries(path: string): readonly string[] {
  return attempt(() => readdirSync(path)) ?? [];
}

function content(path: string): string {
  return attempt(() => readFileSync(path, 'utf8')) ?? '';
}

/** What is being removed may be gone before it is looked at. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
