import { tryRun } from '../../core/kit/exec.ts';
import type { MachineFacts } from './facts.ts';

/** A program or set of programs that Weir drives. */
export type Tool = {
  readonly name: string;
  readonly path: string | undefined;
  readonly version: string | undefined;
  /** What of Weir needs it. */
  readonly gives: string;
  /** Debian package that brings it. */
  readonly package: string;
};

type ToolKind = Omit<Tool, 'path' | 'version'> & {
  readonly key: 'runc' | 'conmon' | 'cni' | 'nft' | 'ip' | 'conntrack' | 'skopeo' | 'umoci' | 'bpftool';
  readonly ask: readonly string[];
};

const kinds: readonly ToolKind[] = [
  { key: 'runc', name: 'runc', ask: ['--version'], package: 'runc', gives: 'containers' },
  {
    key: 'conmon',
    name: 'conmon',
    ask: ['--version'],
    package: 'conmon',
    gives: 'containers that outlive a restart of Weir',
  },
  {
    key: 'cni',
    name: 'CNI plugins',
    ask: [],
    package: 'containernetworking-plugins',
    gives: 'networks of containers',
  },
  { key: 'ip', name: 'ip', ask: ['-V'], package: 'iproute2', gives: 'networks of containers, the lab' },
  { key: 'nft', name: 'nft', ask: ['--version'], package: 'nftables', gives: 'virtual IPs in the kernel' },
  {
    key: 'conntrack',
    name: 'conntrack',
    ask: ['--version'],
    package: 'conntrack',
    gives: 'virtual IPs that leave dead backends at once',
  },
  {
    key: 'bpftool',
    name: 'bpftool',
    ask: ['version'],
    package: 'bpftool',
    gives: 'virtual IPs at the socket',
  },
  { key: 'skopeo', name: 'skopeo', ask: ['--version'], package: 'skopeo', gives: 'container images' },
  { key: 'umoci', name: 'umoci', ask: ['--version'], package: 'umoci', gives: 'container images' },
];

export async function tools(facts: MachineFacts): Promise<readonly Tool[]> {
  return Promise.all(
    kinds.map(async ({ key, name, ask, gives, package: from }) => {
      const path = facts[key];
      return { name, path, version: await versionOf(path, ask), gives, package: from };
    }),
  );
}

/** The first thing that looks like a version; programs disagree on everything else. */
async function versionOf(path: string | undefined, ask: readonly string[]): Promise<string | undefined> {
  if (path === undefined || ask.length === 0) return undefined;
  const result = await tryRun(path, ask, { timeoutMs: 3_000 }).catch(() => undefined);
  return /\d+\.\d+(\.\d+)?/.exec(`${result?.stdout ?? ''}${result?.stderr ?? ''}`)?.[0];
}
