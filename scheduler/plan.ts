import { type App, isPod } from '../core/model/app.ts';
import { dependencyGraph, type Groups } from '../core/model/dependencies.ts';
import type { ActionKind, DeploymentAction, DeploymentStep } from '../core/model/deployment.ts';
import type { AppId } from '../core/model/ids.ts';

export type Root = ReadonlyMap<AppId, App>;

/** What a change does to one app. `scale`: only the number of instances; `config`: anything else that is running differs. */
export type AppChange = 'added' | 'removed' | 'scale' | 'config' | 'none';

export type PlanOptions = {
  /** Of the root to come: dependencies of groups order the apps in them. */
  readonly groups: Groups;
  /** Whether an app of the root to come runs instances of another configuration now. */
  readonly isMixed: (app: App) => boolean;
};

/**
 * The steps from one root to another (Marathon §15.2): removed apps stop, new ones start, then one step per
 * dependency layer, dependencies first. Empty steps are left out.
 */
export function plan(before: Root, after: Root, { groups, isMixed }: PlanOptions): readonly DeploymentStep[] {
  const removed = [...before.values()].filter((app) => !after.has(app.id));
  const added = [...after.values()].filter((app) => !before.has(app.id));
  const changed = [...after.values()].filter((app) => changeOf(before.get(app.id), app) !== 'none');
  const below = dependencyGraph(after, groups) ?? (() => []);
  const depths = new Map<AppId, number>();
  const layers = Map.groupBy(changed, (app) => depth(app, below, depths));
  const steps = [
    removed.map((app) => actionOn(app, 'StopApplication')),
    added.map((app) => actionOn(app, 'StartApplication')),
    ...[...layers]
      .sort(([a], [b]) => a - b)
      .map(([, apps]) => apps.map((app) => actionFor(before.get(app.id), app, isMixed))),
  ];
  return steps.filter((actions) => actions.length > 0).map((actions) => ({ actions }));
}

export function changeOf(before: App | undefined, after: App | undefined): AppChange {
  if (before === undefined) return after === undefined ? 'none' : 'added';
  if (after === undefined) return 'removed';
  if (before.versionInfo.lastConfigChangeAt !== after.versionInfo.lastConfigChangeAt) return 'config';
  return before.instances === after.instances ? 'none' : 'scale';
}

function actionFor(before: App | undefined, app: App, isMixed: PlanOptions['isMixed']): DeploymentAction {
  const differs = before !== undefined && (changeOf(before, app) === 'config' || isMixed(app));
  const restarts = differs && app.instances > 0;
  const kind = restarts ? 'RestartApplication' : 'ScaleApplication';
  return { ...actionOn(app, kind), target: app.instances };
}

function actionOn(app: App, kind: ActionKind): DeploymentAction {
  return { kind, app: app.id, ...(isPod(app) ? { pod: true } : {}) };
}

/** Longest path from an app without dependencies. Cycles are refused at the door; the mark only keeps us from hanging on one. */
function depth(app: App, below: (app: App) => readonly App[], known: Map<AppId, number>): number {
  const before = known.get(app.id);
  if (before !== undefined) return before;
  known.set(app.id, -1);
  let own = 0;
  for (const dependency of below(app)) own = Math.max(own, 1 + depth(dependency, below, known));
  known.set(app.id, own);
  return own;
}
