import { timestamp } from '../core/kit/clock.ts';
import type { App } from '../core/model/app.ts';
import type { AppId } from '../core/model/ids.ts';
import { taskId } from '../core/model/ids.ts';
import type { Instance } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import { type Json, renderApp } from './marathon/render-app.ts';
import { countTasks, renderTask, type TaskFacts } from './marathon/render-task.ts';
import { taskStats } from './marathon/task-stats.ts';

/** The instances of an app that its agent has heard of, with what belongs to them. Those not launched yet, and those given up with their agent, are left out (§4.1, §16.5). */
export function tasksOf(snapshot: Snapshot, app: AppId): readonly TaskFacts[] {
  return snapshot.placementsOf(app).flatMap((placement) => {
    if (placement.expungedAt !== undefined) return [];
    const instance = currentInstance(snapshot, placement);
    return instance === undefined
      ? []
      : [{ placement, instance, agent: snapshot.table('agents').get(placement.agentId) }];
  });
}

function currentInstance(snapshot: Snapshot, placement: Placement): Instance | undefined {
  const instance = snapshot.table('instances').get(placement.instanceId);
  return instance?.attempt === placement.attempt ? instance : undefined;
}

export type Embed =
  | 'tasks'
  | 'counts'
  | 'deployments'
  | 'readiness'
  | 'lastTaskFailure'
  | 'failures'
  | 'taskStats';

/** AppInfo (§3.1). */
export function appInfo(snapshot: Snapshot, app: App, asked: Asked): Json {
  return {
    ...renderApp(app),
    ...embedded(snapshot, app.id, { ...asked, deployments: deploymentsOf(snapshot) }),
  };
}

/** What is to be embedded; ages are as of `now`, ms since the epoch. */
export type Asked = { readonly embeds: ReadonlySet<Embed>; readonly now: number };

export type EmbedOptions = Asked & {
  readonly deployments: ReadonlyMap<AppId, readonly DeploymentRef[]>;
};

/** What AppInfo has beside the definition. */
export function embedded(snapshot: Snapshot, app: AppId, { embeds, deployments, now }: EmbedOptions): Json {
  const tasks = tasksOf(snapshot, app);
  const has = (...names: readonly Embed[]) => names.some((name) => embeds.has(name));
  return {
    ...(has('counts') ? countTasks(tasks) : {}),
    ...(has('deployments', 'tasks', 'failures') ? { deployments: deployments.get(app) ?? [] } : {}),
    ...(has('tasks', 'failures') ? { tasks: tasks.map(renderTask) } : {}),
    ...(has('readiness')
      ? { readinessCheckResults: deployments.has(app) ? readinessResults(snapshot, app) : [] }
      : {}),
    ...(has('taskStats') ? taskStats(snapshot.table('apps').get(app), tasks, now) : {}),
    ...(has('lastTaskFailure', 'failures') ? lastTaskFailure(snapshot, app) : {}),
  };
}

/** What the readiness checks of an app's instances came to so far; `taskId` holds the instance (§14.5). */
export function readinessResults(snapshot: Snapshot, app: AppId): readonly Json[] {
  // Lists of deployments ask of every app, and most have no such check.
  if (!snapshot.versionsOf(app).some(({ readinessChecks }) => readinessChecks.length > 0)) return [];
  return tasksOf(snapshot, app).flatMap(({ instance: { instanceId, state } }) => {
    if (state.kind !== 'running' || state.readiness === undefined) return [];
    const { name, ready, lastResponse } = state.readiness;
    return [{ name, taskId: instanceId, ready, ...(lastResponse === undefined ? {} : { lastResponse }) }];
  });
}

/** Embed names come with or without a prefix (§3.1); unknown ones are ignored. */
export function embedsFrom(
  query: string | readonly string[] | undefined,
  always: readonly Embed[],
): ReadonlySet<Embed> {
  const given = (typeof query === 'string' ? [query] : (query ?? [])).map((name) =>
    name.replace(/^(group\.apps|apps|app)\./, ''),
  );
  return new Set([...always, ...given.filter(isEmbed)]);
}

export type DeploymentRef = { readonly id: string };

/** The deployments under way, by the apps they change. */
export function deploymentsOf(snapshot: Snapshot): ReadonlyMap<AppId, readonly DeploymentRef[]> {
  const byApp = new Map<AppId, DeploymentRef[]>();
  for (const { id, affectedApps } of snapshot.table('deployments').values()) {
    for (const app of affectedApps) byApp.set(app, [...(byApp.get(app) ?? []), { id }]);
  }
  return byApp;
}

function lastTaskFailure(snapshot: Snapshot, app: AppId): Json {
  const failure = snapshot.table('failures').get(app);
  if (failure === undefined) return {};
  return {
    lastTaskFailure: {
      appId: app,
      host: failure.host,
      message: failure.message,
      state: failure.state,
      taskId: taskId(failure.instanceId, failure.attempt),
      timestamp: timestamp(failure.at),
      version: failure.version,
      slaveId: failure.agentId,
    },
  };
}

const embedNames: readonly Embed[] = [
  'tasks',
  'counts',
  'deployments',
  'readiness',
  'lastTaskFailure',
  'failures',
  'taskStats',
];

function isEmbed(name: string): name is Embed {
  return embedNames.some((embed) => embed === name);
}
