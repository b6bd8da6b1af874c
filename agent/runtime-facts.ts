import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errorText } from '../core/kit/errors.ts';
import { run } from '../core/kit/exec.ts';
import { isOnOverlay } from './rootfs.ts';
import { type CgroupFacts, cgroupFacts } from './runtimes/runc/cgroups.ts';

export type ProgramFact = {
  readonly name: string;
  /** Undefined: not installed. */
  readonly version?: string;
  /** Debian package that has it. */
  readonly package: string;
  /** What does not work without it. */
  readonly neededFor: string;
};

export type RuntimeFacts = {
  readonly root: boolean;
  readonly programs: readonly ProgramFact[];
  /** Where containers write: a layer on disk, in memory (the data directory is on an overlay itself), or nowhere and why. */
  readonly layers: { readonly kind: 'disk' | 'memory' } | { readonly kind: 'none'; readonly reason: string };
  readonly cgroup: CgroupFacts;
  /** Why the runc runtime cannot be used; empty: it can. */
  readonly againstRunc: readonly string[];
  /** Debian packages that are missing for any of it. */
  readonly missingPackages: readonly string[];
};

/** What this machine offers to run containers with. `dataDir` is made if missing. */
export async function runtimeFacts(options: { dataDir: string }): Promise<RuntimeFacts> {
  const root = process.getuid?.() === 0;
  const [programs, layers, cgroup] = await Promise.all([
    Promise.all(wanted.map(programFact)),
    layerFacts(resolve(options.dataDir), root),
    cgroupFacts(),
  ]);
  const missing = programs.filter((program) => program.version === undefined);
  const againstRunc = [
    ...(root ? [] : ['the agent does not run as root']),
    ...missing
      .filter((program) => program.neededFor === containers)
      .map(({ name }) => `${name} is not installed`),
    ...(layers.kind === 'none' ? [layers.reason] : []),
    ...(cgroup.writable ? [] : ['cgroups cannot be made under /sys/fs/cgroup']),
  ];
  const missingPackages = [...new Set(missing.map((program) => program.package))];
  return { root, programs, layers, cgroup, againstRunc, missingPackages };
}

const containers = 'containers';
const images = 'container images';

const wanted = [
  { name: 'runc', package: 'runc', neededFor: containers },
  { name: 'conmon', package: 'conmon', neededFor: containers },
  { name: 'unshare', package: 'util-linux', neededFor: containers },
  { name: 'mount', package: 'mount', neededFor: containers },
  { name: 'skopeo', package: 'skopeo', neededFor: images },
  { name: 'umoci', package: 'umoci', neededFor: images },
] as const;

async function programFact(program: Omit<ProgramFact, 'version'>): Promise<ProgramFact> {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`;
  const output = await run(program.name, ['--version'], { env: { PATH: path }, timeoutMs: 5_000 }).catch(
    () => undefined,
  );
  const version = output === undefined ? undefined : (/\d+\.\d+[\w.+~-]*/.exec(output)?.[0] ?? 'unknown');
  return { ...program, ...(version === undefined ? {} : { version }) };
}

/** Root tries; others look whether the kernel has it. */
async function layerFacts(dataDir: string, root: boolean): Promise<RuntimeFacts['layers']> {
  try {
    await mkdir(dataDir, { recursive: true });
    const inMemory = await isOnOverlay(dataDir);
    if (root) await tryOverlay(dataDir, inMemory);
    else if (!(await readFile('/proc/filesystems', 'utf8')).includes('\toverlay\n'))
      return { kind: 'none', reason: 'the kernel has no overlay file system (loaded)' };
    return { kind: inMemory ? 'memory' : 'disk' };
  } catch (error) {
    return { kind: 'none', reason: errorText(error) };
  }
}

const trial =
  'if [ "$1" = 1 ]; then mount -t tmpfs weir . && cd "$2" || exit; fi; mkdir u w m && mount -t overlay -o lowerdir=/,upperdir=u,workdir=w weir m';

async function tryOverlay(dataDir: string, inMemory: boolean): Promise<void> {
  const dir = await mkdtemp(join(dataDir, 'trial-'));
  try {
    const script = ['sh', '-c', `cd "$2" && { ${trial}; }`, 'weir-trial', inMemory ? '1' : '0', dir];
    await run('unshare', ['--mount', ...script]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
