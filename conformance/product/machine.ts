import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../../core/kit/errors.ts';
import type { RunResult } from '../../core/kit/exec.ts';
import { tryRun } from '../../core/kit/exec.ts';
import { becomes } from '../lab/processes.ts';
import { cgroupRoots, mountsBelow } from '../lab/teardown.ts';

export const netnsFolder = '/run/netns';

/** Names of the network namespaces that have a cable into this one. */
export async function containerNamespaces(netns: string): Promise<readonly string[]> {
  const { stdout } = await tryRun('ip', ['-n', netns, '-o', 'link', 'show', 'type', 'veth']);
  return [...stdout.matchAll(/link-netns (\S+)/g)].map((match) => match[1] ?? '');
}

/** Pids of every process in these network namespaces. */
export function processesIn(names: readonly string[]): readonly number[] {
  const inodes = new Set(names.map((name) => attempt(() => statSync(join(netnsFolder, name)).ino)));
  return pids().filter((pid) => {
    const link = attempt(() => readlinkSync(`/proc/${pid}/ns/net`)) ?? '';
    return inodes.has(Number(/^net:\[(\d+)\]$/.exec(link)?.[1]));
  });
}

function childrenOf(pid: number): readonly number[] {
  const text = attempt(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) ?? '';
  return text.split(' ').filter(Boolean).map(Number);
}

/** The child process of the product that runs a part of it, by a piece of its program's path. */
export function workerOf(product: { readonly pid: number }, part: string): number | undefined {
  return workersOf(product, part)[0];
}

export function workersOf({ pid }: { readonly pid: number }, part: string): readonly number[] {
  return childrenOf(pid).filter((child) => commandLineOf(child).includes(part));
}

export function commandLineOf(pid: number): string {
  return (attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').replaceAll('\0', ' ').trim();
}

export function environmentOf(pid: number): ReadonlyMap<string, string> {
  const text = attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? '';
  return new Map(
    text.split('\0').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

/** The processes that run a task, oldest first. */
export function processesOfTask(taskId: string): readonly number[] {
  return pids().filter((pid) => environmentOf(pid).get('MESOS_TASK_ID') === taskId);
}

/** Control groups of Weir's that a process is in, as folders. */
export function groupsOf(pid: number): readonly string[] {
  const lines = (attempt(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? '').split('\n');
  const paths = lines.map((line) => line.split(':')[2] ?? '').filter((path) => path.startsWith('/weir/'));
  return [...new Set(paths)].flatMap((path) =>
    cgroupRoots()
      .map((root) => join(root, path))
      .filter((folder) => existsSync(folder)),
  );
}

/** True when none is left. The group above goes as well when it is empty. */
export function removeGroups(groups: Iterable<string>): boolean {
  let left = false;
  for (const group of groups) {
    attempt(() => rmdirSync(group));
    attempt(() => rmdirSync(dirname(group)));
    left ||= existsSync(group);
  }
  return !left;
}

/** A machine that can be looked at: its namespace, its folder, and the process of the test itself, which does not count. */
type Observed = {
  readonly netns: string;
  readonly dir: string;
  readonly tunnel: { readonly pid: number | undefined };
  exec(argv: readonly string[]): Promise<RunResult>;
};

/** What the product made on a machine, to be compared: one line for each thing. */
export async function traces(host: Observed): Promise<readonly string[]> {
  const { netns, dir } = host;
  const ask = async (kind: string, argv: readonly string[]) =>
    (await host.exec(argv)).stdout
      .split('\n')
      // What rules noted of a connection goes by itself.
      .filter((line) => line !== '' && !/ expires \d/.test(line))
      // Whether anything is plugged in is told a moment later than the unplugging.
      .map((line) => line.replace(/<.*>|linkdown|\b(UP|DOWN|UNKNOWN)\b/g, '').replace(/ +/g, ' '))
      .map((line) => `${kind}: ${line.trim()}`);
  const containers = await containerNamespaces(netns);
  const running = processesIn([netns, ...containers])
    .filter((pid) => pid !== host.tunnel.pid)
    .map((pid) => `${pid} ${commandLineOf(pid)}`)
    // Without a command line it is about to be gone. The monitor begins with the first look at the kernel's table.
    .filter((line) => !line.endsWith(' ') && !line.endsWith(' nft monitor'));
  return [
    ...(await ask('link', ['ip', '-brief', 'link', 'show'])),
    ...(await ask('address', ['ip', '-brief', '-4', 'address', 'show'])),
    ...(await ask('route', ['ip', '-4', 'route', 'show', 'table', 'all'])),
    ...(await ask('rule', ['ip', '-4', 'rule', 'show'])),
    ...(await ask('nft', ['nft', 'list', 'ruleset'])),
    ...containers.map((name) => `namespace: ${name}`),
    ...running.map((line) => `process: ${line}`),
    ...mountsBelow(dir).map((path) => `mount: ${path}`),
  ].toSorted();
}

/** Waits until everything is as before; gives the differences that remain. */
export async function differences(
  before: readonly string[],
  look: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  let left: readonly string[] = [];
  await becomes(async () => {
    const now = await look();
    left = [
      ...now.filter((line) => !before.includes(line)).map((line) => `left: ${line}`),
      ...before.filter((line) => !now.includes(line)).map((line) => `missing: ${line}`),
    ];
    return left.length === 0;
  }, 15_000);
  return left;
}

/** Folders of control groups and names of namespaces that the running containers have: to be looked for after they are gone. */
export async function containerThings(netns: string): Promise<readonly string[]> {
  const containers = await containerNamespaces(netns);
  const groups = processesIn([netns, ...containers]).flatMap(groupsOf);
  return [
    ...containers.map((name) => join(netnsFolder, name)),
    ...new Set([...groups, ...groups.map((group) => dirname(group))]),
  ];
}

function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** Things in /proc and /sys come and go while they are looked at. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
