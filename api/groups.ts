import { type App, isPod, type PodApp } from '../core/model/app.ts';
import { ancestorsOf, type Group, parentOf } from '../core/model/group.ts';
import type { AppId, Version } from '../core/model/ids.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { RootRecord } from '../core/state/tables.ts';
import { appsIn } from './kinds.ts';
import { isBelow } from './marathon/parse-group.ts';
import type { Json } from './marathon/render-app.ts';
import { versionOf } from './version-text.ts';

/** All apps and groups at one moment. Groups that only apps imply have no record. */
export type Tree = {
  readonly apps: ReadonlyMap<AppId, App>;
  readonly groups: ReadonlyMap<string, Group>;
};

export function treeOf(snapshot: Snapshot): Tree {
  return { apps: snapshot.table('apps'), groups: snapshot.table('groups') };
}

/** The tree as it was after the change of this version; undefined when that is not remembered. */
export function treeAt(snapshot: Snapshot, given: Version): Tree | undefined {
  const version = versionOf(given);
  const roots = snapshot.table('roots');
  if (!roots.has(version)) return undefined;
  const tree = { apps: new Map(snapshot.table('apps')), groups: new Map(snapshot.table('groups')) };
  for (const record of newestFirst(snapshot)) {
    if (record.version <= version) break;
    undo(tree.apps, record.apps);
    undo(tree.groups, record.groups);
  }
  return tree;
}

/** Versions of the root that can be looked at and gone back to. */
export function rootVersions(snapshot: Snapshot): readonly Version[] {
  return newestFirst(snapshot).map((record) => record.version);
}

export function groupExists(tree: Tree, id: string): boolean {
  return id === '/' || tree.groups.has(id) || [...tree.apps.keys()].some((app) => app.startsWith(`${id}/`));
}

export function appsBelow(tree: Tree, group: string): readonly App[] {
  return appsIn(tree.apps).filter((app) => isBelow(app.id, group));
}

export type Sections = { readonly apps: boolean; readonly groups: boolean; readonly pods: boolean };

export type GroupView = {
  readonly sections: Sections;
  readonly renderApp: (app: App) => Json;
  readonly renderPod: (pod: PodApp) => Json;
};

/** GroupInfo of Marathon §5.1. */
export function groupInfo(tree: Tree, id: string, { sections, renderApp, renderPod }: GroupView): Json {
  const info = ({ head, apps, pods, inner }: Outline): Json => ({
    ...head,
    ...(sections.apps ? { apps: apps.map(renderApp) } : {}),
    ...(sections.groups ? { groups: inner.map(info) } : {}),
    ...(sections.pods ? { pods: pods.map(renderPod) } : {}),
  });
  return info(outlineOf(tree, id));
}

export type GroupTexts = Pick<GroupView, 'sections' | 'renderPod'> & {
  /** AppInfo as JSON. */
  readonly appText: (app: App) => string;
};

/** The same as JSON, piece by piece. */
export function groupText(tree: Tree, id: string, view: GroupTexts): Iterable<string> {
  return textOf(outlineOf(tree, id), view);
}

function* textOf({ head, apps, pods, inner }: Outline, view: GroupTexts): Iterable<string> {
  const { sections, appText, renderPod } = view;
  yield JSON.stringify(head).slice(0, -1);
  if (sections.apps) yield* listText('apps', apps, (app) => [appText(app)]);
  if (sections.groups) yield* listText('groups', inner, (group) => textOf(group, view));
  if (sections.pods) yield* listText('pods', pods, (pod) => [JSON.stringify(renderPod(pod))]);
  yield '}';
}

/** `,"name":[…]` */
function* listText<T>(
  name: string,
  items: readonly T[],
  textOf: (item: T) => Iterable<string>,
): Iterable<string> {
  yield `,"${name}":[`;
  for (const [index, item] of items.entries()) {
    if (index > 0) yield ',';
    yield* textOf(item);
  }
  yield ']';
}

/** A group with what is in it. */
type Outline = {
  readonly head: Json & { readonly version: Version };
  readonly apps: readonly App[];
  readonly pods: readonly PodApp[];
  readonly inner: readonly Outline[];
};

function outlineOf(tree: Tree, id: string): Outline {
  const apps = Map.groupBy(tree.apps.values(), (app) => parentOf(app.id));
  const paths = new Set([...tree.groups.keys(), ...[...tree.apps.keys()].flatMap(ancestorsOf)]);
  paths.delete('/');
  const groups = Map.groupBy(paths, parentOf);
  const outline = (group: string): Outline => {
    const inner = (groups.get(group) ?? []).toSorted().map(outline);
    const own = apps.get(group) ?? [];
    const { dependencies = [], enforceRole } = tree.groups.get(group) ?? {};
    const head = {
      id: group,
      dependencies,
      ...(enforceRole === undefined ? {} : { enforceRole }),
      version: newestOf(tree.groups.get(group), [...own, ...inner.map(({ head }) => head)]),
    };
    return { head, apps: own.filter((app) => !isPod(app)), pods: own.filter(isPod), inner };
  };
  return outline(id);
}

/** Of the group's record; of a group that only apps imply, the newest of what is in it. */
function newestOf(record: Group | undefined, members: readonly { version: Version }[]): Version {
  return (
    record?.version ??
    members
      .map((member) => member.version)
      .sort()
      .at(-1) ??
    '1970-01-01T00:00:00.000Z'
  );
}

function newestFirst(snapshot: Snapshot): readonly RootRecord[] {
  return [...snapshot.table('roots').values()].sort((a, b) => (a.version < b.version ? 1 : -1));
}

function undo<T>(present: Map<string, T>, before: Readonly<Record<string, T | null>>): void {
  for (const [key, value] of Object.entries(before)) {
    if (value === null) present.delete(key);
    else present.set(key, value);
  }
}
