import { tryRun } from '../../core/kit/exec.ts';
import { administratorPath } from './programs.ts';

export const kernelFeatures = ['netns', 'veth', 'bridge', 'vxlan', 'nftables', 'overlayfs'] as const;
export type KernelFeature = (typeof kernelFeatures)[number];

/** Undefined: could not be tried out, because this user may not or the program for it is missing. */
export type KernelFacts = Readonly<Record<KernelFeature, boolean | undefined>>;

type Probe = {
  readonly root: boolean;
  /** Whether the programs are there. */
  readonly ip: boolean;
  readonly nft: boolean;
};

/**
 * Tries each feature out in namespaces of its own, which vanish with the shell: what the kernel's configuration or a
 * list of modules says is not yet what this machine allows (a container without capabilities has neither).
 */
const script = `
echo netns
ip link add weirv0 type veth peer name weirv1 && echo veth
ip link add weirb0 type bridge && echo bridge
ip link add weirx0 type vxlan id 1 dstport 4789 && echo vxlan
nft -f - <<'RULES' && echo nftables
table ip weir_probe {
  map backends { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  chain out {
    type nat hook output priority -100;
    ip daddr 100.64.0.1 dnat to numgen inc mod 2 map { 0 : 100.64.0.2, 1 : 100.64.0.3 }
  }
}
RULES
mount -t tmpfs weir-probe /tmp && cd /tmp && mkdir low up work top &&
  mount -t overlay -o lowerdir=low,upperdir=up,workdir=work weir-probe top && echo overlayfs
`;

export async function probeKernel({ root, ip, nft }: Probe): Promise<KernelFacts> {
  const own = root ? [] : ['--user', '--map-root-user'];
  const path = [process.env.PATH, ...administratorPath].join(':');
  const result = await tryRun('unshare', [...own, '--net', '--mount', '/bin/sh', '-c', script], {
    timeoutMs: 5_000,
    env: { PATH: path },
  }).catch(() => undefined);
  const works = new Set(result?.stdout.split('\n'));
  const tried = root || works.has('netns');
  const answer = (feature: KernelFeature, possible = true) =>
    tried && possible ? works.has(feature) : undefined;
  return {
    netns: answer('netns'),
    veth: answer('veth', ip),
    bridge: answer('bridge', ip),
    vxlan: answer('vxlan', ip),
    nftables: answer('nftables', nft),
    overlayfs: answer('overlayfs'),
  };
}
