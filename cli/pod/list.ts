import { isBackingOff } from '../app/waiting.ts';
import type { PodInfo, QueueItem } from '../master/answers.ts';
import { styled } from '../show/style.ts';
import { table } from '../show/table.ts';

/** The table of `weir pod list`. */
export function podTable(pods: readonly PodInfo[], queue: ReadonlyMap<string, QueueItem>): string {
  const sorted = pods.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return table<PodInfo>(
    [
      { head: 'POD', of: ({ id }) => id },
      { head: 'STABLE', right: true, of: stableOf },
      { head: 'CONTAINERS', of: ({ spec }) => spec.containers.map(({ name }) => name).join(',') },
      { head: 'STATUS', of: (pod) => podStatusText(pod, queue.get(pod.id)) },
    ],
    sorted,
  );
}

export function stableOf({ spec, instances }: PodInfo): string {
  const stable = instances.filter(({ status }) => status === 'STABLE').length;
  return `${stable}/${spec.scaling.instances}`;
}

/** What hinders comes first. */
export function podStatusText({ id, status }: PodInfo, waiting: QueueItem | undefined): string {
  if (waiting !== undefined)
    return isBackingOff(waiting)
      ? styled('red', `failing, next try in ${waiting.delay.timeLeftSeconds} s`)
      : styled('yellow', `waiting for a place (weir why ${id})`);
  return styled(status === 'STABLE' ? 'green' : 'yellow', status.toLowerCase());
}
