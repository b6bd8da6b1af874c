import { run, tryRun } from '../core/kit/exec.ts';
import { networkNames } from '../core/model/app.ts';
import type { InstanceId } from '../core/model/ids.ts';
import type { NetworkAddress } from '../core/model/instance.ts';
import type { Assignment } from '../core/model/master-port.ts';
import { portsOf } from '../core/model/ports.ts';

export type PortMappingArgs = {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
};

/** Attaches instances to networks; the overlay host is one. */
export interface Attacher {
  /**
   * Gives the instance its address (without prefix) on a network. Repeated for the same key: the same or a clear error.
   * `signal`: the instance is not wanted any more; it may give up waiting, or finish.
   */
  attach(
    request: {
      readonly instanceId: string;
      readonly network: string;
      readonly ifName: string;
      readonly netns: string;
      readonly portMappings: readonly PortMappingArgs[];
    },
    signal?: AbortSignal,
  ): Promise<{ readonly ip: string }>;
  /** Undoes it; also for one that was never, or half, attached. `netns` '' when it is gone. */
  detach(request: {
    readonly instanceId: string;
    readonly network: string;
    readonly ifName: string;
    readonly netns: string;
  }): Promise<void>;
}

/** Network namespaces by name, as `ip netns` keeps them. */
export interface Namespaces {
  /** Where the namespace of that name is, once it is there. */
  path(name: string): string;
  /** Makes the namespace of that name, if need be, with its loopback up. */
  create(name: string): Promise<void>;
  remove(path: string): Promise<void>;
}

const folder = '/run/netns/';

export const kernelNamespaces: Namespaces = {
  path: (name) => folder + name,
  async create(name) {
    const added = await tryRun('ip', ['netns', 'add', name]);
    if (added.exitCode !== 0 && !added.stderr.includes('File exists'))
      await run('ip', ['netns', 'add', name]);
    await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  },
  async remove(path) {
    const removed = await tryRun('ip', ['netns', 'delete', path.slice(folder.length)]);
    if (removed.exitCode !== 0 && !removed.stderr.includes('No such file'))
      await run('ip', ['netns', 'delete', path.slice(folder.length)]);
  },
};

/** For runtimes whose instances share the machine's network stack. */
export const noNamespaces: Namespaces = { path: () => '', create: async () => {}, remove: async () => {} };

/** Joins all of an app's networks in order (eth0, eth1, …); host ports are mapped on the first network that may carry them. */
export async function attachAll(
  attacher: Attacher,
  assignment: Assignment,
  { netns, signal }: { readonly netns: string; readonly signal?: AbortSignal },
): Promise<readonly NetworkAddress[]> {
  const addresses: NetworkAddress[] = [];
  for (const [index, network] of networkNames(assignment.app).entries()) {
    signal?.throwIfAborted();
    const request = {
      instanceId: attachmentId(assignment),
      network,
      ifName: `eth${index}`,
      netns,
      portMappings: mappingsFor(assignment, network, index),
    };
    const { ip } = await attacher.attach(request, signal);
    addresses.push({ network, ip });
  }
  return addresses;
}

export async function detachAll(attacher: Attacher, assignment: Assignment, netns: string): Promise<void> {
  for (const [index, network] of [...networkNames(assignment.app).entries()].reverse()) {
    await attacher.detach({ instanceId: attachmentId(assignment), network, ifName: `eth${index}`, netns });
  }
}

/** CNI's container id; attempts of one instance must not meet in a plugin's records. */
export function attachmentId({ placement }: Assignment): InstanceId {
  return `${placement.instanceId}.${placement.attempt}`;
}

function mappingsFor(
  { app, placement }: Assignment,
  network: string,
  index: number,
): readonly PortMappingArgs[] {
  return portsOf(app).flatMap((port) => {
    const hostPort = placement.hostPorts[port.index] ?? null;
    const containerPort = placement.containerPorts[port.index] ?? null;
    const here = port.networkNames.length === 0 ? index === 0 : port.networkNames[0] === network;
    if (hostPort === null || containerPort === null || !here) return [];
    return port.protocols.map((protocol) => ({ hostPort, containerPort, protocol }));
  });
}
