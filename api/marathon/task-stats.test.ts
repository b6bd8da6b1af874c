import t from 'tap';
import type { Placement } from '../../core/model/placement.ts';
import { testApp } from '../../core/state/testing/apps.ts';
import type { TaskFacts } from './render-task.ts';
import { taskStats } from './task-stats.ts';

const now = 100_000;

t.test('tasks are counted by how old their definition is, with their ages in seconds', async (t) => {
  const app = testApp('/a', { versionInfo: { lastScalingAt: 'v3', lastConfigChangeAt: 'v2' } });
  const tasks = [task('v1', 60), task('v2', 30, true), task('v2', 20, false), task('v3', 10)];
  const stats = (counts: number[], averageSeconds: number, medianSeconds: number) => {
    const [staged, running, healthy, unhealthy] = counts;
    const lifeTime = { averageSeconds, medianSeconds };
    return { stats: { counts: { staged, running, healthy, unhealthy }, lifeTime } };
  };
  t.same(taskStats(app, tasks, now), {
    taskStats: {
      startedAfterLastScaling: stats([0, 1, 0, 0], 10, 10),
      withLatestConfig: stats([0, 3, 1, 1], 20, 20),
      withOutdatedConfig: stats([0, 1, 0, 0], 60, 60),
      totalSummary: stats([0, 4, 1, 1], 30, 25),
    },
  });
});

t.test('a part that covers no task is left out', async (t) => {
  const app = testApp('/a', { versionInfo: { lastScalingAt: 'v1', lastConfigChangeAt: 'v1' } });
  t.same(taskStats(app, [], now), { taskStats: {} });
  t.notOk('withOutdatedConfig' in taskStats(app, [task('v1', 1)], now));
});

function task(appVersion: string, age: number, alive?: boolean): TaskFacts {
  const health = alive === undefined ? [] : [{ alive, consecutiveFailures: 0 }];
  const state = { kind: 'running', since: now - age * 1_000, addresses: [], health } as const;
  const instance = { state } as unknown as TaskFacts['instance'];
  return { placement: { appVersion } as Placement, instance, agent: undefined };
}
