import type { App } from '../core/model/app.ts';
import type { DeploymentAction, DeploymentStep } from '../core/model/deployment.ts';
import type { AppId } from '../core/model/ids.ts';

export type Root = ReadonlyMap<AppId, App>;

/** What a change does to one app. `scale`: only the number of instances; `config`: anything else that is running differs. */
export type AppChange = 'added' | 'removed' | 'scale' | 'config' | 'none';

/**
 * The steps from one root to another (Marathon §15.2): removed apps stop, new ones start, then one step per
 * dependency layer, dependencies first. Empty steps are left out. Apps in `mixed` run more than one configuration now.
 */
export function plan(
  before: Root,
  after: Root,
  mixed: ReadonlySet<AppId> = new Set(),
): readonly DeploymentStep[] {
  const removed = [...before.keys()].filter((id) => !after.has(id));
  const added = [...after.keys()].filter((id) => !before.has(id));
  const changed = [...after.values()].filter((app) => changeOf(before.get(app.id), app) !== 'none');
  const depths = new Map<AppId, number>();
  const layers = Map.groupBy(changed, (app) => depth(app, after, depths));
  const steps = [
    removed.map((app): DeploymentAction => ({ kind: 'StopApplication', app })),
    added.map((app): DeploymentAction => ({ kind: 'StartApplication', app })),
    ...[...layers]
      .sort(([a], [b]) => a - b)
      .map(([, apps]) => apps.map((app) => actionFor(before.get(app.id), app, mixed))),
  ];
  return steps.filter((actions) => actions.length > 0).map((actions) => ({ actions }));
}

export function changeOf(before: App | undefined, after: App | undefined): AppChange {
  if (before === undefined) return after === undefined ? 'none' : 'added';
  if (after === undefined) return 'removed';
  if (before.versionInfo.lastConfigChangeAt !== after.versionInfo.lastConfigChangeAt) return 'config';
  return before.instances === after.instances ? 'none' : 'scale';
}

function actionFor(before: App | undefined, app: App, mixed: ReadonlySet<AppId>): DeploymentAction {
  const differs = before !== undefined && (changeOf(before, app) === 'config' || mixed.has(app.id));
  const restarts = differs && app.instances > 0;
  return { kind: restarts ? 'RestartApplication' : 'ScaleApplication', app: app.id, target: app.instances };
}

/** Longest path from an app without dependencies. Cycles are refused at the door; the mark only keeps us from hanging on one. */
function depth(app: App, root: Root, known: Map<AppId, number>): number {
  const before = known.get(app.id);
  if (before !== undefined) return before;
  known.set(app.id, -1);
  const below = dependenciesOf(app, root).map((dependency) => depth(dependency, root, known));
  const own = 1 + Math.max(-1, ...below);
  known.set(app.id, own);
  return own;
}

/** A dependency names an app, or a group and so every app in it. */
export function dependenciesOf(app: App, root: Root): readonly App[] {
  if (app.dependencies.length === 0) return [];
  return [...root.values()].filter((other) =>
    app.dependencies.some((id) => other.id === id || other.id.startsWith(id.endsWith('/') ? id : `${id}/`)),
  );
}
