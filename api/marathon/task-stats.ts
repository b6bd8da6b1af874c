import type { App } from '../../core/model/app.ts';
import type { Json } from './render-app.ts';
import { countTasks, type TaskFacts } from './render-task.ts';

/** §3.1 `taskStats`: counts and ages of tasks by how old their definition is. A part that covers no task is left out. */
export function taskStats(app: App | undefined, tasks: readonly TaskFacts[], now: number): Json {
  if (app === undefined) return {};
  const { lastScalingAt, lastConfigChangeAt } = app.versionInfo;
  const since = (version: string) => tasks.filter(({ placement }) => placement.appVersion >= version);
  const outdated = tasks.filter(({ placement }) => placement.appVersion < lastConfigChangeAt);
  return {
    taskStats: {
      ...part('startedAfterLastScaling', since(lastScalingAt), now),
      ...part('withLatestConfig', since(lastConfigChangeAt), now),
      ...part('withOutdatedConfig', outdated, now),
      ...part('totalSummary', tasks, now),
    },
  };
}

function part(name: string, tasks: readonly TaskFacts[], now: number): Json {
  if (tasks.length === 0) return {};
  const { tasksStaged, tasksRunning, tasksHealthy, tasksUnhealthy } = countTasks(tasks);
  const counts = {
    staged: tasksStaged,
    running: tasksRunning,
    healthy: tasksHealthy,
    unhealthy: tasksUnhealthy,
  };
  return { [name]: { stats: { counts, ...lifeTime(tasks, now) } } };
}

/** Of those that run, in seconds. */
function lifeTime(tasks: readonly TaskFacts[], now: number): Json {
  const ages = tasks
    .flatMap(({ instance: { state } }) => (state.kind === 'running' ? [(now - state.since) / 1000] : []))
    .sort((a, b) => a - b);
  if (ages.length === 0) return {};
  const middle = ages.length / 2;
  const median = (ages[Math.ceil(middle) - 1]! + ages[Math.floor(middle)]!) / 2;
  const average = ages.reduce((sum, age) => sum + age, 0) / ages.length;
  return { lifeTime: { averageSeconds: average, medianSeconds: median } };
}
