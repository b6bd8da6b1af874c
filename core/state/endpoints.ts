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
  /** How long it may drain, ms; undefined: nobody says. */
  readonly drainLimitMs?: number | undefined;
};

/**
 * The Directory entry of a placement, or undefined while it takes no part in traffic (not running, stopping). One that is
 * unreachable, or that drains while its checks pass, is there, not ready: where a VIP has no others they are used (vip.md §7,
 * §17.2).
 */
export function endpointOf(sources: EndpointSources): Endpoint | undefined {
  const { placement, instance, app, agent } = sources;
  const state = instance.state;
  if (state.kind !== 'running' || instance.attempt !== placement.attempt) return undefined;
  const readiness = readinessOf(sources);
  if (readiness === undefined) return undefined;
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
    ...readiness,
  };
}

/** Undefined: it has no part in traffic any more. */
function readinessOf({
  placement: { goal, unreachableSince, drainingSince, createdAt },
  instance,
  drainLimitMs,
}: EndpointSources): Pick<Endpoint, 'ready' | 'unreachable' | 'draining'> | undefined {
  const until = drainLimitMs && { until: (drainingSince ?? createdAt) + drainLimitMs };
  if (goal === 'drain' && unreachableSince === undefined && isReady(instance))
    return { ready: false, draining: { ...until } };
  if (goal !== 'run') return undefined;
  return unreachableSince === undefined ? { ready: isReady(instance) } : { ready: false, unreachable: true };
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
