import { hasChecks } from '../deployment/describe.ts';
import type { AppInfo, QueueItem } from '../master/answers.ts';
import { styled } from '../show/style.ts';
import { table } from '../show/table.ts';
import { isBackingOff } from './waiting.ts';

/** The table of `weir app list`. */
export function appTable(apps: readonly AppInfo[], queue: ReadonlyMap<string, QueueItem>): string {
  const sorted = apps.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return table<AppInfo>(
    [
      { head: 'APP', of: (app) => app.id },
      { head: 'RUNNING', right: true, of: (app) => `${app.tasksRunning ?? 0}/${app.instances}` },
      {
        head: 'HEALTHY',
        right: true,
        of: (app) => (hasChecks(app) ? `${app.tasksHealthy ?? 0}/${app.instances}` : '-'),
      },
      { head: 'CPUS', right: true, of: (app) => String(app.cpus) },
      { head: 'MEM', right: true, of: (app) => String(app.mem) },
      { head: 'STATUS', of: (app) => status(app, queue.get(app.id)) },
    ],
    sorted,
  );
}

/** One word or two for what goes on; what hinders comes first. */
export function status(app: AppInfo, waiting: QueueItem | undefined): string {
  if (waiting !== undefined)
    return isBackingOff(waiting)
      ? styled('red', `failing, next try in ${waiting.delay.timeLeftSeconds} s`)
      : styled('yellow', `waiting for a place (weir why ${app.id})`);
  if ((app.tasksUnhealthy ?? 0) > 0) return styled('red', 'unhealthy');
  if ((app.deployments?.length ?? 0) > 0) return styled('cyan', 'deploying');
  if (app.instances === 0) return styled('dim', 'stopped');
  const ready = hasChecks(app) ? (app.tasksHealthy ?? 0) : (app.tasksRunning ?? 0);
  return ready >= app.instances ? styled('green', 'ready') : styled('yellow', 'starting');
}
