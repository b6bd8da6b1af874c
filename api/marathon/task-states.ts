import { taskId } from '../../core/model/ids.ts';
import type { ContainerStatus, Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import { endpointsOf, type Pod, podTaskId } from '../../core/model/pod.ts';
import { taskState } from './render-task.ts';

/** A task as Mesos consumers know it: an instance of an app is one, each container of a pod's instance is one. */
export type TaskState = {
  readonly taskId: string;
  /** `TASK_RUNNING`, … */
  readonly status: string;
  readonly message: string;
  /** Indexes of its ports among those of the instance. */
  readonly ports: readonly number[];
};

type Stated = {
  readonly instance: Instance;
  readonly placement: Placement | undefined;
  /** Of the definition the instance was launched from, where that is a pod. */
  readonly pod: Pod | undefined;
};

export function taskStates({ instance, placement, pod }: Stated): readonly TaskState[] {
  const { instanceId, attempt, state } = instance;
  const message = state.kind === 'ended' ? state.reason : '';
  if (pod === undefined) {
    const ports = [...(placement?.hostPorts.keys() ?? [])];
    return [{ taskId: taskId(instanceId, attempt), status: taskState(instance, placement), message, ports }];
  }
  const endpoints = endpointsOf(pod);
  return pod.containers.map((container) => {
    const known = containerStatus(instance, container.name);
    return {
      taskId: podTaskId(instanceId, container.name, attempt),
      status: containerState(instance, container.name, placement),
      message: known?.end?.reason ?? message,
      ports: container.endpoints.map((endpoint) => endpoints.indexOf(endpoint)),
    };
  });
}

/** While its agent says nothing of a container alone, the instance's state counts. */
export function containerState(instance: Instance, name: string, placement: Placement | undefined): string {
  const end = containerStatus(instance, name)?.end;
  if (end === undefined) return taskState(instance, placement);
  return { finished: 'TASK_FINISHED', failed: 'TASK_FAILED', killed: 'TASK_KILLED' }[end.how];
}

export function containerStatus({ state }: Instance, name: string): ContainerStatus | undefined {
  if (state.kind === 'staging') return undefined;
  return state.containers?.find((status) => status.name === name);
}
