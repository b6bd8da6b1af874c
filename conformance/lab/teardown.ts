import { readdirSync, readFileSync, readlinkSync, realpathSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../core/kit/errors.ts';
import { run, tryRun } from '../../core/kit/exec.ts';
import { isNamespaceOf, LabError, netnsPath } from './names.ts';
import { becomes, signalTo } from './processes.ts';

/** What a lab is known by when nothing else is left of it. */
export type LabIdentity = { readonly name: string; readonly dir: string };

/**
 * Removes everything a lab made: its processes and those of its containers, mounts, control groups, namespaces with their links, and its
 * folder. Needs no state file and may be repeated. @throws LabError naming what could not be removed
 */
export async function removeLab({ name, dir }: LabIdentity): Promise<void> {
  // Mounts are listed by real paths; one that is overlooked would be emptied.
  const lab = { name, dir: attempt(() => realpathSync(dir)) ?? dir };
  const namespaces = namespacesOf(lab.name);
  await endProcesses(lab, namespaces);
  await unmountBelow(lab.dir);
  await becomes(async () => removeCgroups(lab.name), 5_000);
  for (const netns of namespaces) await tryRun('ip', ['netns', 'del', netns]);
  if (mountsBelow(lab.dir).length === 0) await run('rm', ['-rf', '--one-file-system', '--', lab.dir]);
  const left = leftovers(lab);
  if (left.length > 0)
    throw new LabError(
      'WEIR_LAB_LEFTOVERS',
      `Cannot remove lab ${lab.name} completely: ${left.join(', ')} is left`,
    );
}

/** Everything of the lab that still exists. */
export function leftovers(lab: LabIdentity): readonly string[] {
  return [
    ...namespacesOf(lab.name).map((netns) => `namespace ${netns}`),
    ...mountsBelow(lab.dir).map((path) => `mount ${path}`),
    ...cgroupsOf(lab.name).map((path) => `cgroup ${path}`),
  ];
}

export function namespacesOf(lab: string): readonly string[] {
  return list('/run/netns').filter((netns) => isNamespaceOf(lab, netns));
}

/** In rounds, since an agent that is about to die may still start something. */
async function endProcesses(lab: LabIdentity, namespaces: readonly string[]): Promise<void> {
  const gone = await becomes(async () => {
    const pids = processesOf(lab, namespaces);
    for (const pid of pids) signalTo(pid, 'SIGKILL');
    return pids.length === 0;
  }, 15_000);
  if (gone) return;
  const left = processesOf(lab, namespaces).join(', ');
  throw new LabError('WEIR_LAB_LEFTOVERS', `Cannot remove lab ${lab.name}: processes ${left} do not end`);
}

/** Those in a network namespace of the lab (named, or of a container and mounted below its folder) or in its control groups. */
function processesOf(lab: LabIdentity, namespaces: readonly string[]): readonly number[] {
  const paths = [...namespaces.map(netnsPath), ...mountsBelow(lab.dir)];
  const inodes = new Set(paths.map(inodeOf).filter((inode) => inode !== undefined));
  return list('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && (isInside(pid, inodes) || isInCgroup(pid, lab.name)));
}

function isInside(pid: number, inodes: ReadonlySet<string>): boolean {
  return inodes.has(attempt(() => readlinkSync(`/proc/${pid}/ns/net`)) ?? '');
}

function isInCgroup(pid: number, lab: string): boolean {
  const text = attempt(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? '';
  return text.split('\n').some((line) => `${line.split(':')[2]}/`.startsWith(`/weir/${lab}/`));
}

/** As /proc/PID/ns/net shows it; undefined for anything but a namespace. */
function inodeOf(path: string): string | undefined {
  const inode = attempt(() => statSync(path).ino);
  return inode === undefined ? undefined : `net:[${inode}]`;
}

async function unmountBelow(dir: string): Promise<void> {
  for (const path of mountsBelow(dir).toReversed()) await tryRun('umount', ['--lazy', path]);
}

/** Mount points in the order they were made. */
export function mountsBelow(dir: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''))
    .filter((path) => path.startsWith(`${dir}/`));
}

/** The kernel writes blanks, tabs, newlines and backslashes as octal numbers. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** True when none is left. A group whose last process has just ended may be busy for a moment. */
function removeCgroups(lab: string): boolean {
  for (const path of cgroupsOf(lab)) attempt(() => rmdirSync(path));
  if (cgroupsOf(lab).length > 0) return false;
  for (const root of cgroupRoots()) attempt(() => rmdirSync(join(root, 'weir')));
  return true;
}

/** Deepest first. */
function cgroupsOf(lab: string): readonly string[] {
  return cgroupRoots().flatMap((root) => tree(join(root, 'weir', lab)));
}

function tree(path: string): readonly string[] {
  const entries = attempt(() => readdirSync(path, { withFileTypes: true }));
  if (entries === undefined) return [];
  return [
    ...entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => tree(join(path, name))),
    path,
  ];
}

/** Version 2, alone or beside the version 1 hierarchies. */
export function cgroupRoots(): readonly string[] {
  const root = '/sys/fs/cgroup';
  return [root, ...list(root).map((name) => join(root, name))].filter((path) => isCgroup(path));
}

function isCgroup(path: string): boolean {
  return attempt(() => statSync(join(path, 'cgroup.procs'))) !== undefined;
}

function list(path: string): readonly string[] {
  return attempt(() => readdirSync(path)) ?? [];
}

/** Things in /proc, /sys and /run come and go while they are looked at. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
