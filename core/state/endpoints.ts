import type { Agent } from '../model/agent.ts';
import { type App, isHostMode } from '../model/app.ts';
import type { Endpoint, EndpointPort } from '../model/directory.ts';
import { type TaskId, taskId } from '../model/ids.ts';
import { type Instance, isReady, type NetworkAddress } from '../model/instance.ts';
import type { Placement } from '../model/placement.ts';
import { podTaskId } from '../model/pod.ts';
import { type PortRequest, portsOf } from '../model/ports.ts';

export type EndpointSources = {
  readonly placement: Placement;
  readonly instance: Instance;
  readonly app: App;
  readonly agent: Agent;
};

/**
 * The Directory entry of a placement, or undefined while it takes no part in traffic (not running, draining, stopping). One
 * that is unreachable is there, not ready: all of a VIP's backends being so is no reason to refuse (vip.md §7).
 */
export function endpointOf({ placement, instance, app, agent }: EndpointSources): Endpoint | undefined {
  const state = instance.state;
  if (placement.goal !== 'run' || state.kind !== 'running' || instance.attempt !== placement.attempt)
    return undefined;
  return {
    instanceId: placement.instanceId,
    taskId: taskOf(app, placement),
    appId: placement.appId,
    agentId: agent.id,
    agentAddress: agent.address,
    addresses: isHostMode(app) ? [] : state.addresses,
    ports: portsOf(app).flatMap((port) =>
      endpointPort(port, { placement, addresses: state.addresses, app, agent }),
    ),
    ...(placement.unreachableSince === undefined
      ? { ready: isReady(instance) }
      : { ready: false, unreachable: true }),
  };
}

/** Of a pod, the one of its first container stands for all: they share the address. */
function taskOf(app: App, { instanceId, attempt }: Placement): TaskId {
  const first = app.pod?.containers[0];
  return first === undefined ? taskId(instanceId, attempt) : podTaskId(instanceId, first.name, attempt);
}

type PortSources = {
  readonly placement: Placement;
  readonly addresses: readonly NetworkAddress[];
  readonly app: App;
  readonly agent: Agent;
};

/**
 * Traffic goes straight to the container where it has an address of its own (overlay networks reach it from every
 * agent), and to the agent's host port otherwise.
 */
function endpointPort(
  port: PortRequest,
  { placement, addresses, app, agent }: PortSources,
): readonly EndpointPort[] {
  const hostPort = placement.hostPorts[port.index] ?? undefined;
  const containerPort = placement.containerPorts[port.index] ?? undefined;
  const own = isHostMode(app) ? undefined : addressFor(port, addresses);
  const target =
    own !== undefined && containerPort !== undefined
      ? { address: own.ip, port: containerPort, scope: 'container' as const }
      : hostPort !== undefined && { address: agent.address, port: hostPort, scope: 'host' as const };
  if (target === false) return [];
  return [
    {
      index: port.index,
      ...(port.name === undefined ? {} : { name: port.name }),
      protocols: port.protocols,
      ...target,
      ...(hostPort === undefined ? {} : { hostPort }),
      ...(containerPort === undefined ? {} : { containerPort }),
      labels: port.labels,
    },
  ];
}

function addressFor(port: PortRequest, addresses: readonly NetworkAddress[]): NetworkAddress | undefined {
  if (port.networkNames.length === 0) return addresses[0];
  return addresses.find((address) => port.networkNames.includes(address.network));
}
