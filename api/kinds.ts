import { type App, isPod, type PodApp } from '../core/model/app.ts';
import type { AppId } from '../core/model/ids.ts';
import type { Root } from './dependencies.ts';

/** Apps and pods are kept in one table, so that no id can be both; each half of the API sees its own. */
export function appsIn(root: Root): readonly App[] {
  return [...root.values()].filter((app) => !isPod(app));
}

export function podsIn(root: Root): readonly PodApp[] {
  return [...root.values()].filter(isPod);
}

/** Undefined also when it is a pod. */
export function appAt(root: Root, id: AppId): App | undefined {
  const app = root.get(id);
  return app !== undefined && isPod(app) ? undefined : app;
}

/** Undefined also when it is an app. */
export function podAt(root: Root, id: AppId): PodApp | undefined {
  const app = root.get(id);
  return app !== undefined && isPod(app) ? app : undefined;
}
