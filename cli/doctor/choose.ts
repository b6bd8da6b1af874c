import type { MachineFacts } from './facts.ts';

/** What `weir dev` and `weir agent` take when no flag says otherwise. */
export type Choices = {
  readonly runtime: Choice<'runc' | 'process'>;
  readonly network: Choice<'vxlan' | 'loopback'>;
  readonly vip: Choice<'ebpf' | 'nftables' | 'userspace'>;
};

export type Choice<T> = {
  readonly value: T;
  /** What the better one lacks here; empty when it was chosen. */
  readonly lacks: readonly string[];
};

/** Pure. Containers and their networks go together: without network namespaces of their own there is nothing to attach. */
export function chooseBackends(facts: MachineFacts): Choices {
  const namespaces = need(facts.kernel.netns !== false, 'network namespaces');
  const container = [
    ...need(facts.root, 'root'),
    ...need(facts.runc, 'runc'),
    ...need(facts.conmon, 'conmon'),
    ...need(facts.cgroups, 'cgroups'),
    ...need(facts.kernel.overlayfs !== false, 'overlayfs'),
    ...namespaces,
  ];
  const network = [
    ...need(facts.root, 'root'),
    ...need(facts.cni, 'CNI plugins'),
    ...need(facts.ip, 'ip'),
    ...need(facts.nft, 'nft'),
    ...need(facts.kernel.vxlan !== false, 'vxlan'),
    ...need(facts.kernel.veth !== false, 'veth'),
    ...need(facts.kernel.bridge !== false, 'bridge'),
    ...namespaces,
    ...need(container.length === 0, 'the runc runtime'),
  ];
  const vip = [
    ...need(facts.root, 'root'),
    ...need(facts.nft, 'nft'),
    ...need(facts.ip, 'ip'),
    ...need(facts.conntrack, 'conntrack'),
    ...need(facts.kernel.nftables !== false, 'nftables in the kernel'),
    ...need(network.length === 0, 'the vxlan network'),
  ];
  const sockets = [
    ...need(facts.bpftool, 'bpftool'),
    ...need(facts.bpf.compiled, 'clang-14 and libbpf-dev when scripts/setup ran'),
    ...need(facts.bpf.cgroups, 'version 2 of control groups'),
  ];
  return {
    runtime: { value: container.length === 0 ? 'runc' : 'process', lacks: container },
    network: { value: network.length === 0 ? 'vxlan' : 'loopback', lacks: network },
    vip: vip.length > 0 ? { value: 'userspace', lacks: vip } : atSocket(sockets),
  };
}

/** eBPF is a layer over nftables; without it VIPs cost a little for each packet. */
function atSocket(lacks: readonly string[]): Choices['vip'] {
  return { value: lacks.length === 0 ? 'ebpf' : 'nftables', lacks };
}

function need(given: unknown, name: string): readonly string[] {
  return given === undefined || given === false ? [name] : [];
}
