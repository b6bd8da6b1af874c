import { timestamp } from '../../core/kit/clock.ts';
import type { Agent } from '../../core/model/agent.ts';
import type { App } from '../../core/model/app.ts';
import type { HealthCheck } from '../../core/model/health-check.ts';
import { healthOf, type Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import type { Pod } from '../../core/model/pod.ts';
import type { MasterEvent } from '../../core/state/event-bus.ts';
import { type Json, renderApp } from './render-app.ts';
import { renderPlan, renderStep } from './render-deployment.ts';
import { condition } from './render-task.ts';
import { changedStateEvents } from './state-events.ts';

/** An event as it goes to clients (§9.2). */
export type ApiEvent = Json & { readonly eventType: string; readonly timestamp: string };

/** Marathon's events for what the master did. */
export function apiEvents(event: MasterEvent, now: number): readonly ApiEvent[] {
  const make = (eventType: string, fields: Json): ApiEvent => ({
    ...fields,
    eventType,
    timestamp: timestamp(now),
  });
  switch (event.kind) {
    case 'app-posted':
      return [
        make('api_post_event', {
          clientIp: event.clientIp,
          uri: event.uri,
          appDefinition: renderApp(event.app),
        }),
      ];
    case 'pod-changed':
      return [make(`pod_${event.change}_event`, { clientIp: event.clientIp, uri: event.uri })];
    case 'root-changed':
      return [make('group_change_success', { groupId: '/', version: event.version })];
    case 'deployment-step':
      return [make('deployment_info', stepFields(event))];
    case 'deployment-step-done':
      return [make('deployment_step_success', stepFields(event))];
    case 'deployment-done':
      return [make('deployment_success', { id: event.deployment.id, plan: renderPlan(event.deployment) })];
    case 'deployment-failed':
      return [
        make('deployment_failed', {
          id: event.deployment.id,
          plan: renderPlan(event.deployment),
          reason: event.reason,
        }),
      ];
    case 'app-terminated':
      return [make('app_terminated_event', { appId: event.appId })];
    case 'stranger-ended':
      return [unknownEndEvent(event.instance, now)];
    case 'health-brake':
      return [make('weir_health_brake_event', { isOn: event.reasons.length > 0, reasons: event.reasons })];
  }
}

function stepFields({ deployment }: Extract<MasterEvent, { deployment: unknown }>): Json {
  return { plan: renderPlan(deployment), currentStep: renderStep(deployment.steps[deployment.step]) };
}

/** An instance was given a place: in Weir it is scheduled and provisioned in one decision. */
export function launchEvents(
  { instanceId, appId, appVersion, agentId }: Placement,
  agent: Agent | undefined,
  now: number,
): readonly ApiEvent[] {
  const host = agent?.hostname ?? agentId;
  return ['Scheduled', 'Provisioned'].map((name) => ({
    ...{ instanceId, condition: name, runSpecId: appId, agentId, host, runSpecVersion: appVersion },
    eventType: 'instance_changed_event',
    timestamp: timestamp(now),
  }));
}

/** The health checks of an app begin or end. */
export function checkEvents(
  { id, before, after }: { id: string; before: App | undefined; after: App | undefined },
  now: number,
): readonly ApiEvent[] {
  const version = after?.version ?? '';
  const isSame = before?.versionInfo.lastConfigChangeAt === after?.versionInfo.lastConfigChangeAt;
  const added = isSame ? [] : (after?.healthChecks ?? []);
  const isRemoved = after === undefined && (before?.healthChecks.length ?? 0) > 0;
  const at = { timestamp: timestamp(now) };
  return [
    ...added.map((healthCheck) => ({
      ...{ appId: id, version, healthCheck, eventType: 'add_health_check_event' },
      ...at,
    })),
    ...(isRemoved ? [{ appId: id, eventType: 'remove_health_check_event', ...at }] : []),
  ];
}

/** One for each check that failed since the instance was last heard of. `taskId` holds the instance, as in Marathon. */
export function failedCheckEvents(
  {
    before,
    after,
    checks,
  }: { before: Instance | undefined; after: Instance; checks: readonly HealthCheck[] },
  now: number,
): readonly ApiEvent[] {
  return checks.flatMap((healthCheck, index) => {
    const failures = failuresOf(after, index);
    if (failures === 0 || failures === failuresOf(before, index)) return [];
    const { appId, instanceId } = after;
    const fields = { appId, taskId: instanceId, healthCheck, timestamp: timestamp(now) };
    return [{ ...fields, eventType: 'failed_health_check_event' }];
  });
}

function failuresOf(instance: Instance | undefined, check: number): number {
  const result = instance?.state.kind === 'running' ? instance.state.health[check] : undefined;
  return result === undefined || result === null || result.alive ? 0 : result.consecutiveFailures;
}

/** The end of an instance that is counted nowhere any more (§16.5). */
export function unknownEndEvent(instance: Instance, now: number): ApiEvent {
  const fields = {
    instanceId: instance.instanceId,
    runSpecId: instance.appId,
    condition: condition(instance),
  };
  return { ...fields, eventType: 'unknown_instance_terminated_event', timestamp: timestamp(now) };
}

export type InstanceChange = {
  readonly before: Instance | undefined;
  readonly after: Instance;
  readonly placement: Placement | undefined;
  readonly agent: Agent | undefined;
  /** Of the definition it was launched from, where that is a pod. */
  readonly pod?: Pod | undefined;
};

/** Marathon's events for a change of an instance. */
export function instanceEvents(change: InstanceChange, now: number): readonly ApiEvent[] {
  const { before, after, agent } = change;
  const make = (eventType: string, fields: Json): ApiEvent => ({
    ...fields,
    eventType,
    timestamp: timestamp(now),
  });
  const stated = { instance: after, placement: change.placement, agent, pod: change.pod };
  return [...changedStateEvents(before, stated, now), ...healthEvents(before, after, make)];
}

function healthEvents(
  before: Instance | undefined,
  after: Instance,
  make: (type: string, fields: Json) => ApiEvent,
): readonly ApiEvent[] {
  const health = healthOf(after);
  if (before === undefined || health === healthOf(before) || (health !== 'healthy' && health !== 'unhealthy'))
    return [];
  const alive = health === 'healthy';
  const { instanceId, appId, appVersion } = after;
  return [
    make('instance_health_changed_event', {
      instanceId,
      runSpecId: appId,
      runSpecVersion: appVersion,
      healthy: alive,
    }),
    make('health_status_changed_event', { appId, instanceId, version: appVersion, alive }),
  ];
}
