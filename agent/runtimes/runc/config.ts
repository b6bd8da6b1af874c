import { posix } from 'node:path';
import type { RootfsPlan } from '../../rootfs.ts';
import type { UserIds } from '../../rootfs-user.ts';
import type { ContainerSpec, Mount } from '../../runtime.ts';
import { defaultPath } from '../local/program.ts';
import { capabilities, maskedPaths, type OciMount, readonlyPaths, systemMounts } from './defaults.ts';

/** Where a container sees its own directory on the machine, as under Mesos. */
export const sandboxInside = '/mnt/mesos/sandbox';

/** What an image says about running it. */
export type ImageDefaults = {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly cwd?: string;
};

export type ConfigInputs = {
  readonly spec: ContainerSpec;
  readonly image?: ImageDefaults;
  readonly user: UserIds;
  /** Directory of the mounted root file system, relative to the bundle. */
  readonly root: string;
  readonly sandbox: string;
  readonly rootfs: RootfsPlan;
  /** Files of the machine to be seen at a path under /etc. */
  readonly etcFiles: readonly Mount[];
  readonly cgroup: { readonly path: string; readonly version: 1 | 2; readonly limitsSwap: boolean };
  readonly openFiles: { readonly soft: number; readonly hard: number };
};

/** Mesos gives no task less. */
const leastMemMiB = 32;

/** An OCI runtime configuration (runtime-spec config.md, Linux). */
export function ociConfig(inputs: ConfigInputs): object {
  const { spec, user, openFiles } = inputs;
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.groups },
      args: argvOf(spec, inputs.image),
      env: environmentOf(spec, inputs.image),
      cwd: spec.cwd ?? (inputs.image?.cwd || sandboxInside),
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', ...openFiles }],
    },
    root: { path: inputs.root, readonly: false },
    ...(spec.files.hostname === undefined ? {} : { hostname: spec.files.hostname.trim() }),
    mounts: [
      ...systemMounts,
      ...inputs.rootfs.binds.map(bind),
      ...inputs.rootfs.hidden.map(hide),
      bind({ hostPath: inputs.sandbox, containerPath: sandboxInside, mode: 'RW' }),
      ...spec.mounts.map((mount) => bind(placed(mount, inputs.sandbox))),
      ...inputs.etcFiles.map(bind),
    ],
    linux: {
      cgroupsPath: inputs.cgroup.path,
      namespaces: namespacesOf(spec, inputs.cgroup.version),
      resources: resourcesOf(spec, inputs.cgroup.limitsSwap),
      // One TCP clock for all destinations: a backend that sees direct and virtual-IP connections of one address would
      // otherwise drop those whose clock seems to run back (RFC 7323 PAWS).
      ...(spec.netns.kind === 'path' ? { sysctl: { 'net.ipv4.tcp_timestamps': '2' } } : {}),
      maskedPaths,
      readonlyPaths,
    },
  };
}

/** Empty when neither the specification nor the image names a program. */
export function argvOf(spec: ContainerSpec, image: ImageDefaults | undefined): readonly string[] {
  const { command } = spec;
  if (command.kind === 'argv') return command.argv;
  if (image === undefined) return command.args;
  return [...image.entrypoint, ...(command.args.length > 0 ? command.args : image.cmd)];
}

/** Relative paths are below the sandbox, on either side (Mesos). */
export function placed(mount: Mount, sandbox: string): Mount {
  return {
    hostPath: posix.resolve(sandbox, mount.hostPath),
    containerPath: posix.resolve(sandboxInside, mount.containerPath),
    mode: mount.mode,
  };
}

function environmentOf(spec: ContainerSpec, image: ImageDefaults | undefined): readonly string[] {
  const variables = new Map([['PATH', defaultPath]]);
  for (const entry of image?.env ?? []) {
    const equals = entry.indexOf('=');
    if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  variables.set('MESOS_SANDBOX', sandboxInside);
  for (const [name, value] of Object.entries(spec.env)) variables.set(name, value);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

function bind(mount: Mount): OciMount {
  return {
    destination: mount.containerPath,
    type: 'bind',
    source: mount.hostPath,
    options: ['rbind', 'rprivate', mount.mode === 'RO' ? 'ro' : 'rw'],
  };
}

function hide(path: string): OciMount {
  return {
    destination: path,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'nodev', 'ro', 'mode=000', 'size=4k'],
  };
}

function namespacesOf(spec: ContainerSpec, cgroupVersion: 1 | 2): readonly object[] {
  const own = ['pid', 'mount', 'ipc', 'uts', ...(cgroupVersion === 2 ? ['cgroup'] : [])];
  const network = spec.netns.kind === 'path' ? [{ type: 'network', path: spec.netns.path }] : [];
  return [...own.map((type) => ({ type })), ...network];
}

/** Shares, not quota: idle processor time belongs to whoever wants it, as under Mesos. */
function resourcesOf(spec: ContainerSpec, limitsSwap: boolean): object {
  const limit = Math.round(Math.max(spec.mem, leastMemMiB) * 1024 * 1024);
  return {
    devices: [{ allow: false, access: 'rwm' }],
    cpu: { shares: Math.max(2, Math.round(spec.cpus * 1024)) },
    memory: { limit, ...(limitsSwap ? { swap: limit } : {}) },
  };
}
