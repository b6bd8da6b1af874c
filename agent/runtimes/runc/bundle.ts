import { chmod, lchown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchArtifacts } from '../../artifacts.ts';
import type { Image } from '../../images.ts';
import { hostRootfs, type RootfsPlan } from '../../rootfs.ts';
import { resolveUser } from '../../rootfs-user.ts';
import { ContainerRefused, type ContainerSpec, type Mount } from '../../runtime.ts';
import { readIfThere } from '../local/files.ts';
import type { ContainerPaths } from '../local/paths.ts';
import { argvOf, ociConfig, placed } from './config.ts';

export type BundleInputs = {
  readonly spec: ContainerSpec;
  readonly paths: ContainerPaths;
  readonly image: Image | undefined;
  readonly dataDir: string;
  readonly signal?: AbortSignal;
  readonly cgroup: { readonly path: string; readonly version: 1 | 2; readonly limitsSwap: boolean };
};

/** Everything in a container's directory that `runc create` needs; the overlay is mounted by its monitor. */
export async function writeBundle(inputs: BundleInputs): Promise<void> {
  const { spec, paths, image } = inputs;
  await mkdir(join(paths.dir, 'layer/upper'), { recursive: true });
  for (const name of ['layer/work', 'root', 'tmp', 'etc']) await mkdir(join(paths.dir, name));
  await chmod(join(paths.dir, 'tmp'), 0o1777);
  const rootfs = await rootfsOf(inputs);
  await symlink(rootfs.lower, join(paths.dir, 'lower'));
  const user = resolveUser(spec.user ?? image?.user ?? '', {
    passwd: (await readIfThere(join(rootfs.lower, 'etc/passwd'))) ?? '',
    group: (await readIfThere(join(rootfs.lower, 'etc/group'))) ?? '',
  });
  await mkdir(paths.sandbox);
  await fetchArtifacts(spec.artifacts ?? [], paths.sandbox, inputs.signal);
  await chownAll(paths.sandbox, user);
  await checkProgram(spec, image);
  for (const mount of spec.mounts) await checkMount(spec, { mount, sandbox: paths.sandbox });
  const config = ociConfig({
    spec,
    user,
    rootfs,
    ...(image === undefined ? {} : { image }),
    root: 'root',
    sandbox: paths.sandbox,
    etcFiles: await writeEtcFiles(inputs),
    cgroup: inputs.cgroup,
    openFiles: await openFileLimits(),
  });
  await writeFile(join(paths.dir, 'config.json'), JSON.stringify(config), { mode: 0o600 });
}

/** The folder and all in it; links are changed, not what they lead to. */
async function chownAll(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  await lchown(folder, uid, gid);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await lchown(join(entry.parentPath, entry.name), uid, gid);
}

async function rootfsOf({ paths, image, dataDir }: BundleInputs): Promise<RootfsPlan> {
  if (image !== undefined) return { lower: image.rootfs, binds: [], hidden: [] };
  return hostRootfs({ dataDir, tmp: join(paths.dir, 'tmp') });
}

async function checkProgram(spec: ContainerSpec, image: Image | undefined): Promise<void> {
  if (argvOf(spec, image).length > 0) return;
  throw new ContainerRefused(spec.id, 'no program: the image names none, so cmd or args is needed');
}

/** A path below the sandbox is made; one of the machine must be there. */
async function checkMount(spec: ContainerSpec, where: { mount: Mount; sandbox: string }): Promise<void> {
  const { hostPath } = placed(where.mount, where.sandbox);
  if (hostPath !== where.mount.hostPath) {
    await mkdir(hostPath, { recursive: true });
    return;
  }
  await stat(hostPath).catch(() => {
    throw new ContainerRefused(spec.id, `volume ${hostPath} is not there on this machine`);
  });
}

async function writeEtcFiles({ spec, paths }: BundleInputs): Promise<readonly Mount[]> {
  const { resolvConf, hosts, hostname } = spec.files;
  const contents = { 'resolv.conf': resolvConf, hosts, hostname };
  const mounts: Mount[] = [];
  for (const [name, text] of Object.entries(contents)) {
    if (text === undefined) continue;
    const hostPath = join(paths.dir, 'etc', name);
    await writeFile(hostPath, text, { mode: 0o644 });
    mounts.push({ hostPath, containerPath: `/etc/${name}`, mode: 'RW' });
  }
  return mounts;
}

const mostOpenFiles = 65_536;

/** As many as the agent itself may have, within reason. */
async function openFileLimits(): Promise<{ soft: number; hard: number }> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? 1_024);
  return { soft: Math.min(hard, mostOpenFiles), hard };
}
