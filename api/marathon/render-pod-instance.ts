import { timestamp } from '../../core/kit/clock.ts';
import type { Agent } from '../../core/model/agent.ts';
import { isHostMode } from '../../core/model/app.ts';
import type { PodInstanceFacts } from './pod-facts.ts';
import type { Json } from './render-app.ts';
import { renderPodContainers } from './render-pod-container.ts';
import { condition } from './render-task.ts';

export type PodInstanceJson = Json & { readonly status: InstanceStatus; readonly statusSince: string };

type InstanceStatus = 'PENDING' | 'STAGING' | 'STABLE' | 'DEGRADED' | 'TERMINAL';

/** An instance in the status of its pod (Marathon §19.3). */
export function renderPodInstance(facts: PodInstanceFacts): PodInstanceJson {
  const { pod, placement, agent } = facts;
  const containers = renderPodContainers(facts);
  const { status, message } = statusOf(
    facts,
    containers.some(({ isHealthy }) => isHealthy === false),
  );
  const since = timestamp(sinceOf(facts));
  const { cpus, mem, disk, gpus, version } = pod;
  return {
    id: placement.instanceId,
    status,
    statusSince: since,
    ...(message === undefined ? {} : { message }),
    agentHostname: agent?.hostname ?? placement.agentId,
    agentId: placement.agentId,
    ...regionAndZone(agent),
    resources: { cpus, mem, disk, gpus },
    networks: networksOf(facts),
    containers: containers.map(({ json }) => json),
    specReference: `/v2/pods${pod.id}::versions/${version}`,
    localVolumes: [],
    lastUpdated: since,
    lastChanged: since,
    role: '*',
  };
}

/** The object that a kill answers with (§6), as Marathon 1.5 writes it down: its clients read ids and conditions inside objects. */
export function renderKilledInstance({ pod, placement, instance, agent }: PodInstanceFacts): Json {
  const running = instance?.state.kind === 'running' ? instance.state : undefined;
  const since = timestamp(sinceOf({ pod, placement, instance, agent }));
  return {
    instanceId: { idString: placement.instanceId },
    state: {
      condition: { str: instance === undefined ? 'Provisioned' : condition(instance) },
      since,
      ...(running === undefined ? {} : { activeSince: timestamp(running.since) }),
      ...(running === undefined || running.health.length === 0
        ? {}
        : { healthy: running.health.every((result) => result?.alive === true) }),
      goal: placement.goal === 'run' ? 'Running' : 'Decommissioned',
    },
    agentInfo: {
      host: agent?.hostname ?? placement.agentId,
      agentId: placement.agentId,
      // Marathon's are encoded messages of Mesos, which nobody reads.
      attributes: [],
    },
    tasksMap: {},
    runSpecVersion: placement.appVersion,
    unreachableStrategy: pod.unreachableStrategy,
  };
}

function statusOf(
  { placement, instance }: PodInstanceFacts,
  isSick: boolean,
): { readonly status: InstanceStatus; readonly message?: string } {
  if (placement.unreachableSince !== undefined)
    return { status: 'DEGRADED', message: 'pod instance has become unreachable' };
  switch (instance?.state.kind) {
    case undefined:
      return { status: 'PENDING' };
    case 'staging':
      return { status: 'STAGING' };
    case 'running':
      if (placement.goal !== 'run') return { status: 'TERMINAL' };
      return isSick
        ? { status: 'DEGRADED', message: 'at least one container is not healthy' }
        : { status: 'STABLE' };
    case 'killing':
      return { status: 'TERMINAL' };
    case 'ended':
      return { status: 'TERMINAL', message: instance.state.reason };
  }
}

/** When its status became what it is, as far as that is known. ms since the epoch. */
function sinceOf({ placement, instance }: PodInstanceFacts): number {
  const state = instance?.state;
  if (placement.unreachableSince !== undefined) return placement.unreachableSince;
  if (placement.drainingSince !== undefined && state?.kind === 'running') return placement.drainingSince;
  if (state === undefined) return placement.createdAt;
  if (state.kind === 'ended') return state.at;
  if (state.kind !== 'running') return state.since;
  const turned = state.health.flatMap((result) => (result?.alive ? (result.firstSuccess ?? []) : []));
  return Math.max(state.since, ...turned);
}

function networksOf({ pod, instance, agent }: PodInstanceFacts): readonly Json[] {
  if (instance?.state.kind !== 'running') return [];
  if (isHostMode(pod)) return agent === undefined ? [] : [{ addresses: [agent.address] }];
  return instance.state.addresses.map(({ network, ip }) => ({ name: network, addresses: [ip] }));
}

function regionAndZone(agent: Agent | undefined): Json {
  const { region, zone } = agent?.attributes ?? {};
  return {
    ...(region === undefined ? {} : { agentRegion: region }),
    ...(zone === undefined ? {} : { agentZone: zone }),
  };
}
