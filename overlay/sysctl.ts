import { outputOf, type Tools } from './tools.ts';

/** Path below /proc/sys, and the value. */
export type Setting = { readonly path: string; readonly value: string };

/**
 * What a host needs to carry packets of a network.
 * - Forwarding: a host is the router of its containers.
 * - Reverse path check loose on our devices: a container in two networks answers by its default route whatever network asked it, and a
 *   host may be set to strict. The kernel takes the larger of the device's value and `all`'s, so 2 (loose) always holds.
 * - Frames between two containers of one bridge pass connection tracking where the module br_netfilter is there: the answer to a
 *   connection that a virtual address led to a neighbour has to be translated back.
 */
export function settingsFor(devices: readonly string[]): readonly Setting[] {
  return [
    { path: 'net/ipv4/ip_forward', value: '1' },
    ...devices.map((device) => ({ path: `net/ipv4/conf/${device}/rp_filter`, value: '2' })),
    { path: 'net/bridge/bridge-nf-call-iptables', value: '1' },
  ];
}

/** The settings that differ; paths this kernel does not have are passed over. */
export async function wrongSettings(tools: Tools, settings: readonly Setting[]): Promise<readonly Setting[]> {
  // A shell, since /proc/sys/net shows the network namespace of the process that opens it.
  const script = 'for p; do f="/proc/sys/$p"; if [ -e "$f" ]; then cat "$f"; else echo -; fi; done';
  const text = await outputOf(tools, ['sh', '-c', script, 'sh', ...settings.map(({ path }) => path)]);
  const values = text.split('\n');
  return settings.filter(({ value }, index) => values[index] !== '-' && values[index] !== value);
}

export async function applySettings(tools: Tools, settings: readonly Setting[]): Promise<void> {
  if (settings.length === 0) return;
  const script = 'while [ $# -gt 0 ]; do echo "$2" > "/proc/sys/$1" || exit 1; shift 2; done';
  const pairs = settings.flatMap(({ path, value }) => [path, value]);
  await outputOf(tools, ['sh', '-c', script, 'sh', ...pairs]);
}

/** Asks for the module br_netfilter, which Debian does not load by itself; a kernel without it goes on without. */
export async function loadBridgeFilter(tools: Tools): Promise<void> {
  await tools.run(['sh', '-c', '[ -e /proc/sys/net/bridge ] || modprobe br_netfilter']);
}

/** A setting as a person would make it. */
export function settingText({ path, value }: Setting): string {
  return `sysctl ${path.replaceAll('/', '.')}=${value}`;
}
