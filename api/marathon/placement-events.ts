import { timestamp } from '../../core/kit/clock.ts';
import type { Agent } from '../../core/model/agent.ts';
import type { App } from '../../core/model/app.ts';
import { taskId } from '../../core/model/ids.ts';
import type { Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import { podTaskId } from '../../core/model/pod.ts';
import type { ApiEvent } from './events.ts';
import { stateEvents } from './state-events.ts';

export type Placed = {
  readonly placement: Placement;
  readonly instance: Instance | undefined;
  readonly agent: Agent | undefined;
  /** The definition it was launched from. */
  readonly app?: App | undefined;
};

/** An instance went out of reach with its agent, is replaced for it, or is heard of again (§16.5). */
export function reachEvents(
  { before, placement, instance, agent, app }: Placed & { readonly before: Placement },
  now: number,
): readonly ApiEvent[] {
  const fields = ['unreachableSince', 'inactiveSince'] as const;
  const isSame = fields.every((field) => (before[field] === undefined) === (placement[field] === undefined));
  if (isSame || instance === undefined || instance.state.kind === 'ended') return [];
  return stateEvents({ instance, placement, agent, pod: app?.pod }, now);
}

/** An instance is ended because its health checks failed. `reason`: what the last of them said. */
export function faultEvents({ placement, instance, agent, app }: Placed, now: number): readonly ApiEvent[] {
  if (placement.fault !== 'unhealthy') return [];
  const { appId, instanceId, attempt, appVersion, agentId } = placement;
  const health = instance?.state.kind === 'running' ? instance.state.health : [];
  const index = health.findIndex((result) => result !== null && !result.alive);
  const failing = health[index] ?? undefined;
  const container = app?.healthChecks[index]?.container;
  return [
    {
      appId,
      taskId:
        container === undefined ? taskId(instanceId, attempt) : podTaskId(instanceId, container, attempt),
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
