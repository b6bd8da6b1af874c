import { type App, isPod } from '../core/model/app.ts';
import type { Groups } from '../core/model/dependencies.ts';
import { ancestorsOf, type GroupSettings, parentOf } from '../core/model/group.ts';
import type { Version } from '../core/model/ids.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { AppChanges } from './change-apps.ts';
import type { Root, WantedRoot } from './dependencies.ts';
import { groupExists, type Tree, treeAt } from './groups.ts';
import { appAt } from './kinds.ts';
import type { AppDraft } from './marathon/normalise.ts';
import { type GroupUpdate, type GroupWish, isBelow } from './marathon/parse-group.ts';
import { NotFound, Problem } from './problem.ts';

export type GroupChange = {
  readonly root: Root;
  readonly snapshot: Snapshot;
  readonly version: Version;
  readonly changes: AppChanges;
};

/** What a PUT of a group makes of the root (Marathon §5.4). Throws Problem. */
export function updateGroup(update: GroupUpdate, change: GroupChange): WantedRoot {
  switch (update.kind) {
    case 'put':
      return putGroup(update.wish, change);
    case 'scale':
      return scaleGroup(update, change);
    case 'restore':
      return restoreGroup(update, change);
  }
}

export function removeGroup(id: string, { root, snapshot }: GroupChange): WantedRoot {
  mustExist(id, { apps: root, groups: snapshot.table('groups') });
  const groups = new Map<string, GroupSettings>(ancestorsOf(id).map((group) => [group, {}]));
  for (const [group, settings] of snapshot.table('groups'))
    if (!isBelow(group, id)) groups.set(group, settings);
  return { after: new Map([...root].filter(([app]) => !isBelow(app, id))), groups };
}

function putGroup(wish: GroupWish, { root, snapshot, version, changes }: GroupChange): WantedRoot {
  const kept = new Set(root.keys());
  const groups = new Map<string, GroupSettings>(snapshot.table('groups'));
  const drafts: AppDraft[] = [];
  const take = ({ id, apps, groups: inner, settings }: GroupWish): void => {
    for (const ancestor of ancestorsOf(id)) if (!groups.has(ancestor)) groups.set(ancestor, {});
    groups.set(id, { ...groups.get(id), ...settings });
    if (apps !== undefined) {
      for (const app of kept) if (parentOf(app) === id && appAt(root, app) !== undefined) kept.delete(app);
      drafts.push(...apps);
    }
    if (inner === undefined) return;
    const listed = inner.map((group) => group.id);
    const isDropped = (path: string) =>
      path !== id &&
      isBelow(path, id) &&
      !listed.some((group) => isBelow(path, group) || isBelow(group, path));
    for (const app of kept) if (parentOf(app) !== id && isDropped(app)) kept.delete(app);
    for (const group of groups.keys()) if (isDropped(group)) groups.delete(group);
    for (const group of inner) take(group);
  };
  take(wish);
  // Apps that are dropped and listed again keep what is theirs: their service ports, and their instances.
  const listed = new Set(drafts.map((draft) => draft.id));
  const base = new Map([...root].filter(([id]) => kept.has(id) || listed.has(id)));
  return { after: changes.put(base, drafts, version).after, groups };
}

function scaleGroup(
  { id, factor }: { id: string; factor: number },
  { root, snapshot }: GroupChange,
): WantedRoot {
  mustExist(id, { apps: root, groups: snapshot.table('groups') });
  const scaled = (app: App): App =>
    isBelow(app.id, id) && !isPod(app) ? { ...app, instances: Math.ceil(app.instances * factor) } : app;
  return { after: new Map([...root].map(([path, app]) => [path, scaled(app)])) };
}

function restoreGroup(
  { id, version: wanted }: { id: string; version: Version },
  { root, snapshot, version, changes }: GroupChange,
): WantedRoot {
  const old = treeAt(snapshot, wanted);
  if (old === undefined || !groupExists(old, id))
    throw new Problem(422, { message: `Group ${id} not available in version ${wanted}` });
  const apps = [...old.apps.values()].filter((app) => isBelow(app.id, id));
  const ids = new Set(apps.map((app) => app.id));
  const base = new Map([...root].filter(([app]) => !isBelow(app, id) || ids.has(app)));
  const groups: Groups = new Map([
    ...[...snapshot.table('groups')].filter(([group]) => !isBelow(group, id)),
    ...[...old.groups].filter(([group]) => isBelow(group, id)),
  ]);
  return { after: changes.put(base, apps, version).after, groups };
}

/** What is said of one group is changed, nothing in it is (§5.5). */
export function setGroup(id: string, settings: GroupSettings, { root, snapshot }: GroupChange): WantedRoot {
  const known = snapshot.table('groups');
  mustExist(id, { apps: root, groups: known });
  return { after: root, groups: new Map([...known, [id, { ...known.get(id), ...settings }]]) };
}

function mustExist(id: string, tree: Tree): void {
  if (!groupExists(tree, id)) throw new NotFound(`Group '${id}' does not exist`);
}
