import { mkdir, readdir, readFile, readlink, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { VipUnavailable } from '../../errors.ts';
import type { HostExec } from '../nftables/host.ts';
import type { MapName } from './writes.ts';

/** Where our objects are pinned: a folder for each network namespace that has an agent, named by its number. */
const pins = '/sys/fs/bpf/weir';

export type BpfHome = {
  /** Runs a program in the mount namespace that has `pins`, whatever its network. */
  readonly machine: HostExec;
  /** The compiled programs. */
  readonly object: string;
  /** Where version 2 of control groups is mounted. */
  readonly cgroups: string;
  /** Control groups of containers below it, such as `weir/x`; made when they are not there. */
  readonly containers: readonly string[];
  /** `ns-<inode>` of the network namespace. */
  readonly name: string;
};

/** Programs by how they are attached, and to what. */
const everywhere = {
  host_connect4: 'connect4',
  host_connect6: 'connect6',
  host_send4: 'sendmsg4',
  host_send6: 'sendmsg6',
  receive4: 'recvmsg4',
  receive6: 'recvmsg6',
  peer4: 'getpeername4',
  peer6: 'getpeername6',
  closed: 'sock_release',
  connecting: 'sock_ops',
} as const;
const inContainers = {
  container_connect4: 'connect4',
  container_connect6: 'connect6',
  container_send4: 'sendmsg4',
  container_send6: 'sendmsg6',
} as const;
/** Attached first: what marks sockets must not be there before what counts them out. */
const order = [
  'closed',
  'connecting',
  'receive4',
  'receive6',
  'peer4',
  'peer6',
  'host_connect4',
  'host_connect6',
  'host_send4',
  'host_send6',
] as const satisfies readonly (keyof typeof everywhere)[];

/** A group without processes, so that a group of containers, and what is attached to it, stays while it has none. */
const keeper = 'sockets';

/** Maps about sockets, which outlive a load: their layout is in the name of their folder. */
const kept = ['flows', 'opened', 'replies', 'ejected', 'clients'] as const;
const layout = 'sockets-2';

/** One load of the programs, pinned. `folder` is its own. */
export type BpfLoad = { readonly folder: string };

export function mapPath(load: BpfLoad, map: MapName): string {
  return `${load.folder}/maps/${map}`;
}

/** Loads the programs with empty tables of services; nothing is attached yet. Throws VipUnavailable. */
export async function load(home: BpfHome, number: number): Promise<BpfLoad> {
  const own = join(pins, home.name);
  const folder = join(own, `load-${number}`);
  await makeFolder(home, join(own, layout));
  const known = (await names(join(own, layout))).filter((name) => kept.some((one) => one === name));
  const reuse = known.flatMap((name) => ['map', 'name', name, 'pinned', join(own, layout, name)]);
  await must(home, ['prog', 'loadall', home.object, folder, ...reuse, 'pinmaps', `${folder}/maps`]);
  for (const name of kept)
    if (!known.includes(name))
      await must(home, ['map', 'pin', 'pinned', `${folder}/maps/${name}`, join(own, layout, name)]);
  return { folder };
}

/** Below the file system of pinned objects, which few machines have mounted from the start. */
async function makeFolder(home: BpfHome, folder: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  if (!/^\S+ \/sys\/fs\/bpf bpf /m.test(mounts))
    await home.machine('mount', ['-t', 'bpf', 'bpf', dirname(pins)]);
  await mkdir(folder, { recursive: true });
}

/** Attaches all programs of a load; those of another load may be attached beside them. */
export async function attach(home: BpfHome, load: BpfLoad): Promise<void> {
  for (const name of order) await attachTo(home, home.cgroups, everywhere[name], `${load.folder}/${name}`);
  for (const group of home.containers) {
    const path = join(home.cgroups, group);
    await mkdir(join(path, keeper), { recursive: true });
    for (const [name, type] of Object.entries(inContainers))
      await attachTo(home, path, type, `${load.folder}/${name}`);
  }
}

/** How many programs a load has attached where all is well. */
export function wantedAttachments(home: BpfHome): number {
  return order.length + home.containers.length * Object.keys(inContainers).length;
}

export type Attached = { readonly group: string; readonly type: string; readonly id: number };

/** Where the programs of a load are attached. */
export async function attachments(home: BpfHome, load: BpfLoad): Promise<readonly Attached[]> {
  const ids = new Set(await programIds(home, load.folder));
  return (await tree(home)).filter(({ id }) => ids.has(id));
}

/** Detaches and unpins the loads of this name that are not to be kept. May be repeated. */
export async function removeLoads(home: BpfHome, keeps: (load: BpfLoad) => boolean): Promise<void> {
  const own = join(pins, home.name);
  const folders = (await names(own))
    .filter((name) => name.startsWith('load-'))
    .map((name) => join(own, name));
  const gone = folders.filter((folder) => !keeps({ folder }));
  if (gone.length === 0) return;
  const ids = new Set<number>();
  for (const folder of gone) for (const id of await programIds(home, folder)) ids.add(id);
  for (const { group, type, id } of await tree(home))
    if (ids.has(id)) await home.machine('bpftool', ['cgroup', 'detach', group, type, 'id', String(id)]);
  for (const folder of gone) await rm(folder, { recursive: true, force: true });
}

/** Nothing of this name is left: no program, no map. May be repeated. */
export async function removeAll(home: BpfHome): Promise<void> {
  await removeLoads(home, () => false);
  await rm(join(pins, home.name), { recursive: true, force: true });
  for (const group of home.containers) {
    for (let path = join(group, keeper); path !== '.'; path = dirname(path))
      await rmdir(join(home.cgroups, path)).catch(() => {});
  }
}

/** The highest number that a load of this name has. */
export async function lastLoad(home: BpfHome): Promise<number> {
  const numbers = (await names(join(pins, home.name))).map((name) =>
    Number(/^load-(\d+)$/.exec(name)?.[1] ?? 0),
  );
  return Math.max(0, ...numbers);
}

/** Takes away what agents left whose network namespaces are gone: a lab that ended badly, a machine's container. */
export async function sweep(home: BpfHome): Promise<void> {
  const left = (await names(pins)).filter((name) => /^ns-\d+$/.test(name) && name !== home.name);
  if (left.length === 0) return;
  const living = await namespaces();
  for (const name of left) if (!living.has(name)) await removeAll({ ...home, name, containers: [] });
}

/** `ns-<inode>` of every network namespace that a process is in or a file holds. */
async function namespaces(): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const target = await readlink(`/proc/${pid}/ns/net`).catch(() => '');
    found.add(`ns-${/\d+/.exec(target)?.[0]}`);
  }
  for (const name of await names('/run/netns')) {
    const inode = await stat(join('/run/netns', name)).then(
      ({ ino }) => ino,
      () => 0,
    );
    found.add(`ns-${inode}`);
  }
  return found;
}

/** Ids of programs pinned below a folder. */
async function programIds(home: BpfHome, folder: string): Promise<readonly number[]> {
  const rows = rowsOf(await must(home, ['-j', '-f', 'prog', 'show']));
  return rows.flatMap((row) => {
    const { id, pinned } = Object(row);
    const ours = Array.isArray(pinned) && pinned.some((path) => String(path).startsWith(`${folder}/`));
    return ours && typeof id === 'number' ? [id] : [];
  });
}

/** Everything attached at the root and at the groups of containers. */
async function tree(home: BpfHome): Promise<readonly Attached[]> {
  const result = await home.machine('bpftool', ['-j', 'cgroup', 'tree', home.cgroups]);
  if (result.exitCode !== 0) return [];
  return rowsOf(result.stdout).flatMap((row) => {
    const { cgroup, programs } = Object(row);
    if (typeof cgroup !== 'string' || !Array.isArray(programs)) return [];
    return programs.flatMap((program) => {
      const { id, attach_type: type } = Object(program);
      if (typeof id !== 'number' || typeof type !== 'string') return [];
      return [{ group: cgroup, id, type }];
    });
  });
}

async function attachTo(home: BpfHome, group: string, type: string, program: string): Promise<void> {
  await must(home, ['cgroup', 'attach', group, type, 'pinned', program, 'multi']);
}

async function must(home: BpfHome, args: readonly string[]): Promise<string> {
  const result = await home.machine('bpftool', args);
  if (result.exitCode === 0) return result.stdout;
  const said = `${result.stdout}\n${result.stderr}`;
  const words = /^Error: .*/m.exec(said)?.[0] ?? said.trim();
  throw new VipUnavailable(
    'ebpf',
    `"bpftool ${args
      .slice(0, 3)
      .map((word) => basename(word))
      .join(' ')}" says: ${words.slice(0, 300)}`,
    {
      next: 'Run as root on Linux 5.10 or newer with version 2 of control groups, or choose nftables.',
    },
  );
}

async function names(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

function rowsOf(json: string): readonly unknown[] {
  const rows: unknown = JSON.parse(json || '[]');
  return Array.isArray(rows) ? rows : [];
}
