import { timestamp } from '../../core/kit/clock.ts';
import type { ContainerStatus, HealthResult } from '../../core/model/instance.ts';
import { endpointsOf, type PodContainer, podTaskId } from '../../core/model/pod.ts';
import type { PodInstanceFacts } from './pod-facts.ts';
import type { Json } from './render-app.ts';
import { containerState, containerStatus } from './task-states.ts';

export type RenderedContainer = {
  readonly json: Json;
  /** Undefined: it has no health check, or does not run. */
  readonly isHealthy: boolean | undefined;
};

/** The containers of an instance in the status of its pod (Marathon §19.3); none before its agent knows of it. */
export function renderPodContainers(facts: PodInstanceFacts): readonly RenderedContainer[] {
  if (facts.instance === undefined) return [];
  return facts.pod.pod.containers.map((container) => render(container, facts));
}

function render(container: PodContainer, facts: PodInstanceFacts): RenderedContainer {
  const { name, resources } = container;
  const { placement } = facts;
  const check = healthOf(name, facts);
  const known = facts.instance && containerStatus(facts.instance, name);
  const { state, since } = stateOf(name, known, facts);
  const isHealthy = check === undefined ? undefined : check.result?.alive === true;
  return {
    isHealthy,
    json: {
      name,
      status: state,
      statusSince: timestamp(since),
      ...(known?.end === undefined ? {} : { message: known.end.reason }),
      conditions: check === undefined ? [] : [renderCondition(check)],
      containerId: podTaskId(placement.instanceId, name, placement.attempt),
      endpoints: renderEndpoints(container, facts, isHealthy),
      resources,
      ...(known?.end === undefined ? {} : { termination: renderTermination(known.end) }),
      lastUpdated: timestamp(since),
      lastChanged: timestamp(since),
    },
  };
}

function stateOf(name: string, known: ContainerStatus | undefined, facts: PodInstanceFacts) {
  const { instance, placement } = facts;
  if (instance === undefined) return { state: 'TASK_STAGING', since: placement.createdAt };
  const state = containerState(instance, name, placement);
  if (known?.end !== undefined) return { state, since: known.end.at };
  const since = instance.state.kind === 'ended' ? instance.state.at : instance.state.since;
  if (placement.unreachableSince !== undefined)
    return { state: 'TASK_UNREACHABLE', since: placement.unreachableSince };
  return { state, since };
}

type Checked = { readonly result: HealthResult | null; readonly since: number };

/** Of a running container with a health check. */
function healthOf(name: string, { pod, instance }: PodInstanceFacts): Checked | undefined {
  if (instance?.state.kind !== 'running') return undefined;
  const index = pod.healthChecks.findIndex((check) => check.container === name);
  if (index < 0) return undefined;
  return { result: instance.state.health[index] ?? null, since: instance.state.since };
}

function renderCondition({ result, since }: Checked): Json {
  const changed = result?.alive ? result.firstSuccess : result?.lastFailure;
  return {
    name: 'healthy',
    value: result?.alive ? 'true' : 'false',
    reason: result === null ? 'health-unreported-by-mesos' : 'health-reported-by-mesos',
    lastChanged: timestamp(changed ?? since),
    lastUpdated: timestamp(Math.max(since, result?.lastSuccess ?? 0, result?.lastFailure ?? 0)),
  };
}

function renderEndpoints(
  { endpoints }: PodContainer,
  { pod, placement }: PodInstanceFacts,
  isHealthy: boolean | undefined,
): readonly Json[] {
  const all = endpointsOf(pod.pod);
  return endpoints.map((endpoint) => {
    const hostPort = placement.hostPorts[all.indexOf(endpoint)] ?? undefined;
    return {
      name: endpoint.name,
      ...(hostPort === undefined ? {} : { allocatedHostPort: hostPort }),
      ...(isHealthy === undefined ? {} : { healthy: isHealthy }),
    };
  });
}

function renderTermination({ exitCode, reason }: NonNullable<ContainerStatus['end']>): Json {
  return { ...(exitCode === undefined ? {} : { exitCode }), message: reason };
}
