import type { App } from '../core/model/app.ts';
import { isHostMode } from '../core/model/app.ts';
import { type HealthCheck, isNodeSide } from '../core/model/health-check.ts';
import type { NetworkAddress } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import { portsOf } from '../core/model/ports.ts';

/** What one probe does. */
export type ProbeTarget =
  | {
      readonly kind: 'http';
      readonly tls: boolean;
      readonly host: string;
      readonly port: number;
      readonly path: string;
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  /** The check names a port the instance does not have; never healthy. */
  | { readonly kind: 'none'; readonly cause: string };

export type ProbedInstance = {
  readonly app: App;
  readonly placement: Placement;
  readonly addresses: readonly NetworkAddress[];
  /** Of the agent. */
  readonly hostAddress: string;
};

/**
 * Where a check goes (Marathon §14.1). On a container network: the container's own address and port, which the host
 * reaches over its bridge; a program that listens on 127.0.0.1 inside its container only is not seen. In host mode:
 * 127.0.0.1 for the kinds made on the node, the agent's address for those a scheduler would make.
 */
export function probeTarget(check: HealthCheck, instance: ProbedInstance): ProbeTarget {
  if (check.protocol === 'COMMAND')
    return { kind: 'command', argv: check.argv ?? ['/bin/sh', '-c', check.command?.value ?? ''] };
  const side = isNodeSide(check) ? 'node' : 'scheduler';
  const endpoint = portTarget(check, instance, side);
  if (typeof endpoint === 'string') return { kind: 'none', cause: endpoint };
  if (check.protocol === 'TCP' || check.protocol === 'MESOS_TCP') return { kind: 'tcp', ...endpoint };
  return {
    kind: 'http',
    tls: check.protocol.endsWith('HTTPS'),
    path: absolutePath(check.path),
    ...endpoint,
  };
}

export function absolutePath(path = '/'): string {
  return path.startsWith('/') ? path : `/${path}`;
}

type Endpoint = { readonly host: string; readonly port: number };

type PortChoice = Pick<HealthCheck, 'port' | 'portIndex' | 'ipProtocol'>;

/** Where a port of an instance is reached; or, in words, why it is not. `side`: on whose behalf. */
export function portTarget(
  check: PortChoice,
  instance: ProbedInstance,
  side: 'node' | 'scheduler',
): Endpoint | string {
  const { app, placement, addresses, hostAddress } = instance;
  const index = check.portIndex ?? 0;
  const isIpv6 = check.ipProtocol === 'IPv6';
  if (isHostMode(app)) {
    const port = check.port ?? placement.hostPorts[index];
    const local = isIpv6 ? '::1' : '127.0.0.1';
    const host = side === 'node' ? local : hostAddress;
    return port == null ? `the app has no port of index ${index}` : { host, port };
  }
  const port = check.port ?? placement.containerPorts[index];
  if (port == null) return `the app has no port of index ${index}`;
  const networks = portsOf(app)[index]?.networkNames ?? [];
  const own = addresses.filter(({ ip }) => ip.includes(':') === isIpv6);
  const address = own.find(({ network }) => networks.includes(network)) ?? own[0];
  if (address !== undefined) return { host: address.ip, port };
  return isIpv6 ? 'the instance has no IPv6 address' : 'the instance has no address';
}
