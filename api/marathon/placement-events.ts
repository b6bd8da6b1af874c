import { timestamp } from '../../core/kit/clock.ts';
import type { Agent } from '../../core/model/agent.ts';
import { taskId } from '../../core/model/ids.ts';
import type { Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import type { Pod } from '../../core/model/pod.ts';
import type { ApiEvent } from './events.ts';
import { stateEvents } from './state-events.ts';

export type Placed = {
  readonly placement: Placement;
  readonly instance: Instance | undefined;
  readonly agent: Agent | undefined;
  /** Of the definition it was launched from, where that is a pod. */
  readonly pod?: Pod | undefined;
};

/** An instance went out of reach with its agent, is replaced for it, or is heard of again (§16.5). */
export function reachEvents(
  { before, placement, instance, agent, pod }: Placed & { readonly before: Placement },
  now: number,
): readonly ApiEvent[] {
  const fields = ['unreachableSince', 'inactiveSince'] as const;
  const isSame = fields.every((field) => (before[field] === undefined) === (placement[field] === undefined));
  if (isSame || instance === undefined || instance.state.kind === 'ended') return [];
  return stateEvents({ instance, placement, agent, pod }, now);
}

/** An instance is ended because its health checks failed. `reason`: what the last of them said. */
export function faultEvents({ placement, instance, agent }: Placed, now: number): readonly ApiEvent[] {
  if (placement.fault !== 'unhealthy') return [];
  const { appId, instanceId, attempt, appVersion, agentId } = placement;
  const health = instance?.state.kind === 'running' ? instance.state.health : [];
  const failing = health.find((result) => result !== null && !result.alive);
  return [
    {
      appId,
      taskId: taskId(instanceId, attempt),
      instanceId,
      version: appVersion,
      reason: failing?.lastFailureCause ?? placement.reason ?? '',
      host: agent?.hostname ?? agentId,
      slaveId: agentId,
      eventType: 'unhealthy_instance_kill_event',
      timestamp: timestamp(now),
    },
  ];
}
