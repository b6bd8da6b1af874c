import { timestamp } from '../../core/kit/clock.ts';
import type { Agent } from '../../core/model/agent.ts';
import type { Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import type { Pod } from '../../core/model/pod.ts';
import type { Json } from './render-app.ts';
import { addressesOf, condition, taskState } from './render-task.ts';
import { type TaskState, taskStates } from './task-states.ts';

export type Stated = {
  readonly instance: Instance;
  readonly placement: Placement | undefined;
  readonly agent: Agent | undefined;
  /** Of the definition it was launched from, where that is a pod. */
  readonly pod: Pod | undefined;
};

type StateEvent = Json & { readonly eventType: string; readonly timestamp: string };

/** That an instance is in another state, once for each of its tasks and once for itself. */
export function stateEvents(stated: Stated, now: number): readonly StateEvent[] {
  return changedStateEvents(undefined, stated, now);
}

/** The same for what is other than before. */
export function changedStateEvents(
  before: Instance | undefined,
  stated: Stated,
  now: number,
): readonly StateEvent[] {
  const { instance, placement, pod } = stated;
  const known = new Map(
    before && taskStates({ instance: before, placement, pod }).map((task) => [task.taskId, task.status]),
  );
  const changed = taskStates({ instance, placement, pod }).filter(
    ({ taskId, status }) => known.get(taskId) !== status,
  );
  const isSame = before !== undefined && taskState(before) === taskState(instance);
  return [
    ...changed.map((task) => statusEvent(task, stated, now)),
    ...(isSame ? [] : [changedEvent(stated, now)]),
  ];
}

function statusEvent(task: TaskState, { instance, placement, agent }: Stated, now: number): StateEvent {
  const { agentId, appId, appVersion } = instance;
  return {
    slaveId: agentId,
    taskId: task.taskId,
    taskStatus: task.status,
    message: task.message,
    appId,
    host: agent?.hostname ?? agentId,
    ipAddresses: addressesOf(instance, agent).map((ip) => ({
      ipAddress: ip,
      protocol: ip.includes(':') ? 'IPv6' : 'IPv4',
    })),
    ports: task.ports.flatMap((index) => placement?.hostPorts[index] ?? []),
    version: appVersion,
    eventType: 'status_update_event',
    timestamp: timestamp(now),
  };
}

function changedEvent({ instance, placement, agent }: Stated, now: number): StateEvent {
  const { agentId, appId, appVersion, instanceId } = instance;
  const host = agent?.hostname ?? agentId;
  return {
    ...{ instanceId, condition: condition(instance, placement), runSpecId: appId, agentId, host },
    ...{ runSpecVersion: appVersion, eventType: 'instance_changed_event' },
    timestamp: timestamp(now),
  };
}
