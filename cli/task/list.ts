import type { TaskInfo } from '../master/answers.ts';
import { styled } from '../show/style.ts';
import { type Column, table } from '../show/table.ts';
import { age } from '../show/words.ts';

export type TaskTableOptions = { readonly now: number; readonly withApp: boolean };

export function taskTable(tasks: readonly TaskInfo[], { now, withApp }: TaskTableOptions): string {
  const columns: readonly Column<TaskInfo>[] = [
    { head: 'TASK', of: (task) => task.id },
    ...(withApp ? [{ head: 'APP', of: (task: TaskInfo) => task.appId }] : []),
    { head: 'STATE', of: stateText },
    { head: 'HEALTH', of: healthText },
    { head: 'NODE', of: (task) => task.host },
    { head: 'ADDRESS', of: (task) => list(task.ipAddresses?.map(({ ipAddress }) => ipAddress)) },
    { head: 'PORTS', of: (task) => list(task.ports) },
    { head: 'AGE', right: true, of: (task) => age(task.startedAt ?? task.stagedAt, now) },
  ];
  return table(columns, tasks);
}

/** `TASK_RUNNING` to `running`. */
function stateText({ state }: TaskInfo): string {
  const word = state.replace(/^TASK_/, '').toLowerCase();
  if (word === 'running') return styled('green', word);
  return ['failed', 'lost', 'error'].includes(word) ? styled('red', word) : styled('yellow', word);
}

function healthText({ healthCheckResults = [] }: TaskInfo): string {
  if (healthCheckResults.length === 0) return '-';
  return healthCheckResults.every(({ alive }) => alive)
    ? styled('green', 'healthy')
    : styled('red', 'unhealthy');
}

function list(items: readonly (string | number)[] | undefined): string {
  return items === undefined || items.length === 0 ? '-' : items.join(',');
}
