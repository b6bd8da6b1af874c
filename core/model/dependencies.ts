import type { App } from './app.ts';
import { ancestorsOf, type GroupSettings } from './group.ts';
import type { AppId } from './ids.ts';

export type Groups = ReadonlyMap<string, GroupSettings>;

/**
 * The apps that each app is started after (Marathon §15.2): those it names, those in groups it names, and those that the
 * groups it lies in name. What does not exist is no dependency. Undefined: nothing depends on anything.
 */
export function dependencyGraph(
  apps: ReadonlyMap<AppId, App>,
  groups: Groups,
): ((app: App) => readonly App[]) | undefined {
  const dependent = [...groups.values()].some((group) => (group.dependencies ?? []).length > 0);
  if (!dependent && [...apps.values()].every((app) => app.dependencies.length === 0)) return undefined;
  const members = membersByGroup(apps);
  const named = (id: string): readonly App[] => {
    const single = apps.get(id);
    return single === undefined ? (members.get(id) ?? []) : [single];
  };
  return (app) => {
    const inherited = ancestorsOf(app.id).flatMap((group) => groups.get(group)?.dependencies ?? []);
    const ids = [...new Set([...app.dependencies, ...inherited])];
    return ids.length === 1 ? named(ids[0] ?? '') : [...new Set(ids.flatMap(named))];
  };
}

function membersByGroup(apps: ReadonlyMap<AppId, App>): ReadonlyMap<string, readonly App[]> {
  const members = new Map<string, App[]>();
  for (const app of apps.values())
    for (const group of ancestorsOf(app.id)) {
      const list = members.get(group);
      if (list === undefined) members.set(group, [app]);
      else list.push(app);
    }
  return members;
}
