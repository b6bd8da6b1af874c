import { timestamp } from '../../core/kit/clock.ts';
import type { Agent } from '../../core/model/agent.ts';
import { taskId } from '../../core/model/ids.ts';
import type { Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import { type ApiEvent, stateEvents } from './events.ts';

export type Placed = {
  readonly placement: Placement;
  readonly instance: Instance | undefined;
  readonly agent: Agent | undefined;
};

/** An instance went out of reach with its agent, is replaced for it, or is heard of again (§16.5). */
export function reachEvents(
  { before, placement, instance, agent }: Placed & { readonly before: Placement },
  now: number,
): readonly ApiEvent[] {
  const fields = ['unreachableSince', 'inactiveSince'] as const;
  const isSame = fields.every((field) => (before[field] === undefined) === (placement[field] === undefined));
  if (isSame || instance === undefined || instance.state.kind === 'ended') return [];
  return stateEvents({ instance, placement, agent }, now);
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
