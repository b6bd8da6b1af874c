import type { PodApp } from '../core/model/app.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import { versionKey } from '../core/state/tables.ts';
import { podAt } from './kinds.ts';
import type { PodInstanceFacts } from './marathon/pod-facts.ts';
import type { Json } from './marathon/render-app.ts';
import { renderPodStatus } from './marathon/render-pod-status.ts';

/** The status document of a pod (Marathon §19.3). */
export function podStatus(snapshot: Snapshot, pod: PodApp, now: number): Json {
  return renderPodStatus({
    pod,
    instances: podInstances(snapshot, pod),
    failure: snapshot.table('failures').get(pod.id),
    isBeingDeleted: !snapshot.table('apps').has(pod.id),
    now,
  });
}

/**
 * A pod as it is asked for by id: the defined one, or one whose deletion is still under way. Undefined: neither.
 */
export function podOrLeaving(snapshot: Snapshot, id: string): PodApp | undefined {
  const pod = podAt(snapshot.table('apps'), id);
  if (pod !== undefined || snapshot.table('apps').has(id)) return pod;
  return leavingPods(snapshot).find((leaving) => leaving.id === id);
}

/** Pods that a deployment under way deletes. */
export function leavingPods(snapshot: Snapshot): readonly PodApp[] {
  const apps = snapshot.table('apps');
  return [...snapshot.table('deployments').values()].flatMap(({ originals }) => {
    const before = new Map(
      Object.entries(originals).flatMap(([id, app]) => (app === null ? [] : [[id, app]])),
    );
    return [...before.keys()].flatMap((id) => (apps.has(id) ? [] : (podAt(before, id) ?? [])));
  });
}

/** Its instances that have a place, with the definition each was launched from. */
export function podInstances(snapshot: Snapshot, pod: PodApp): readonly PodInstanceFacts[] {
  return snapshot.placementsOf(pod.id).flatMap((placement): readonly PodInstanceFacts[] => {
    const launched = podAt(snapshot.table('versions'), versionKey(pod.id, placement.appVersion)) ?? pod;
    const instance = snapshot.table('instances').get(placement.instanceId);
    const isCurrent = instance?.attempt === placement.attempt;
    return [
      {
        pod: launched,
        placement,
        instance: isCurrent ? instance : undefined,
        agent: snapshot.table('agents').get(placement.agentId),
      },
    ];
  });
}
