import { timestamp } from '../../core/kit/clock.ts';
import type { PodApp } from '../../core/model/app.ts';
import { podTaskId } from '../../core/model/pod.ts';
import type { TaskFailure } from '../../core/state/tables.ts';
import type { PodInstanceFacts } from './pod-facts.ts';
import type { Json } from './render-app.ts';
import { renderPod } from './render-pod.ts';
import { renderPodInstance } from './render-pod-instance.ts';

export type PodStatusFacts = {
  readonly pod: PodApp;
  readonly instances: readonly PodInstanceFacts[];
  readonly failure: TaskFailure | undefined;
  readonly isBeingDeleted: boolean;
  readonly now: number;
};

/** PodStatus of Marathon §19.3. */
export function renderPodStatus({ pod, instances, failure, isBeingDeleted, now }: PodStatusFacts): Json {
  const rendered = instances.map(renderPodInstance);
  const stable = rendered.filter(({ status }) => status === 'STABLE').length;
  const since = rendered.map(({ statusSince }) => statusSince).sort();
  return {
    id: pod.id,
    spec: renderPod(pod),
    status: isBeingDeleted ? 'TERMINAL' : stable >= pod.instances ? 'STABLE' : 'DEGRADED',
    statusSince: since.at(-1) ?? timestamp(now),
    instances: rendered,
    terminationHistory: failure === undefined ? [] : [renderTermination(failure)],
    lastUpdated: since.at(-1) ?? pod.version,
    lastChanged: since.at(-1) ?? pod.version,
  };
}

/** The last failed instance. */
function renderTermination(failure: TaskFailure): Json {
  const { instanceId, attempt, at, message, startedAt = at, containers = [] } = failure;
  const states = { finished: 'TASK_FINISHED', failed: 'TASK_FAILED', killed: 'TASK_KILLED' };
  return {
    instanceID: instanceId,
    startedAt: timestamp(startedAt),
    terminatedAt: timestamp(at),
    message,
    containers: containers.map(({ name, end }) => ({
      containerId: podTaskId(instanceId, name, attempt),
      lastKnownState: end === undefined ? 'TASK_RUNNING' : states[end.how],
    })),
  };
}
