import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupRoot, socketPrograms } from '../../lb/vip/socket-programs.ts';
import { type KernelFacts, probeKernel } from './kernel.ts';
import { findProgram, isExecutable } from './programs.ts';

/** What this machine can do, as far as Weir's choices depend on it. Programs are given by full path. */
export type MachineFacts = {
  /** Runs as user 0. Without capabilities (in a plain container) `kernel` says what that is worth. */
  readonly root: boolean;
  readonly runc: string | undefined;
  readonly conmon: string | undefined;
  /** Folder of the reference CNI plugins. */
  readonly cni: string | undefined;
  readonly nft: string | undefined;
  readonly ip: string | undefined;
  readonly conntrack: string | undefined;
  readonly skopeo: string | undefined;
  readonly umoci: string | undefined;
  readonly bpftool: string | undefined;
  /** Another engine of the edge, for those who ask for it. */
  readonly haproxy: string | undefined;
  /** For virtual IPs at the socket: compiled programs, and something to attach them to. */
  readonly bpf: { readonly compiled: boolean; readonly cgroups: boolean };
  readonly vxlan: boolean;
  readonly overlayfs: boolean;
  /** 1 also where version 2 is mounted beside it; undefined: none can be used. */
  readonly cgroups: 1 | 2 | undefined;
  readonly kernel: KernelFacts;
};

/** Looks and tries out; changes nothing that outlives the call. About 50 ms. */
export async function machineFacts(): Promise<MachineFacts> {
  const root = process.getuid?.() === 0;
  const [runc, conmon, nft, ip, conntrack, skopeo, umoci, bpftool, haproxy] = await Promise.all(
    ['runc', 'conmon', 'nft', 'ip', 'conntrack', 'skopeo', 'umoci', 'bpftool', 'haproxy'].map((name) =>
      findProgram(name),
    ),
  );
  const [cni, cgroups, kernel] = await Promise.all([
    cniFolder(),
    cgroupVersion(),
    probeKernel({ root, ip: ip !== undefined, nft: nft !== undefined }),
  ]);
  return {
    root,
    runc,
    conmon,
    cni,
    nft,
    ip,
    conntrack,
    skopeo,
    umoci,
    bpftool,
    haproxy,
    bpf: { compiled: await exists(socketPrograms), cgroups: (await cgroupRoot()) !== undefined },
    vxlan: kernel.vxlan ?? false,
    overlayfs: kernel.overlayfs ?? false,
    cgroups,
    kernel,
  };
}

const cniFolders: readonly string[] = ['/usr/lib/cni', '/opt/cni/bin'];
/** Those that Weir's own networks are made of. */
const cniPlugins: readonly string[] = ['bridge', 'host-local', 'loopback', 'portmap'];

async function cniFolder(): Promise<string | undefined> {
  for (const folder of cniFolders) {
    const found = await Promise.all(cniPlugins.map((plugin) => isExecutable(join(folder, plugin))));
    if (found.every(Boolean)) return folder;
  }
  return undefined;
}

async function cgroupVersion(): Promise<1 | 2 | undefined> {
  if (await exists('/sys/fs/cgroup/cgroup.controllers')) return 2;
  return (await exists('/sys/fs/cgroup/memory/memory.limit_in_bytes')) ? 1 : undefined;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
