import { timestamp } from '../../core/kit/clock.ts';
import type { Agent } from '../../core/model/agent.ts';
import { taskId } from '../../core/model/ids.ts';
import { healthOf, type Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import type { MasterEvent } from '../../core/state/event-bus.ts';
import { type Json, renderApp } from './render-app.ts';
import { renderPlan, renderStep } from './render-deployment.ts';
import { addressesOf, condition, taskState } from './render-task.ts';

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
  }
}

function stepFields({ deployment }: Extract<MasterEvent, { deployment: unknown }>): Json {
  return { plan: renderPlan(deployment), currentStep: renderStep(deployment.steps[deployment.step]) };
}

export type InstanceChange = {
  readonly before: Instance | undefined;
  readonly after: Instance;
  readonly placement: Placement | undefined;
  readonly agent: Agent | undefined;
};

/** Marathon's events for a change of an instance. */
export function instanceEvents(
  { before, after, placement, agent }: InstanceChange,
  now: number,
): readonly ApiEvent[] {
  const make = (eventType: string, fields: Json): ApiEvent => ({
    ...fields,
    eventType,
    timestamp: timestamp(now),
  });
  const events: ApiEvent[] = [];
  if (before === undefined || taskState(before) !== taskState(after)) {
    events.push(
      make('status_update_event', {
        slaveId: after.agentId,
        taskId: taskId(after.instanceId, after.attempt),
        taskStatus: taskState(after),
        message: after.state.kind === 'ended' ? after.state.reason : '',
        appId: after.appId,
        host: agent?.hostname ?? after.agentId,
        ipAddresses: addressesOf(after, agent).map((ip) => ({
          ipAddress: ip,
          protocol: ip.includes(':') ? 'IPv6' : 'IPv4',
        })),
        ports: (placement?.hostPorts ?? []).filter((port) => port !== null),
        version: after.appVersion,
      }),
      make('instance_changed_event', {
        instanceId: after.instanceId,
        condition: condition(after),
        runSpecId: after.appId,
        agentId: after.agentId,
        host: agent?.hostname ?? after.agentId,
        runSpecVersion: after.appVersion,
      }),
    );
  }
  return [...events, ...healthEvents(before, after, make)];
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
