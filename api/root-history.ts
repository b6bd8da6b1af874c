import type { Groups } from '../core/model/dependencies.ts';
import { ancestorsOf, type Group, type GroupSettings } from '../core/model/group.ts';
import type { AppId, Version } from '../core/model/ids.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';
import type { RootRecord } from '../core/state/tables.ts';
import type { Root } from './dependencies.ts';

/** Versions of the root that are kept (Marathon §20), and how many definitions all of them together may hold. */
const keptRoots = 50;
const keptDefinitions = 20_000;

export type RootChange = {
  readonly before: Root;
  readonly after: Root;
  readonly restarted?: readonly AppId[];
  /** Groups that are to be there though they may be empty, with what is said of them; absent: all that were. */
  readonly groups?: Groups;
};

/**
 * What a change of the root writes about groups: their records, those on the way to what changed with the new version,
 * and how it was before. Only what changed is looked at and stored.
 */
export function historyWrites(snapshot: Snapshot, change: RootChange, version: Version): readonly Write[] {
  const changed = changedApps(change);
  const known = snapshot.table('groups');
  const kept: Groups = change.groups ?? known;
  const gone = [...known.keys()].filter((id) => !kept.has(id));
  const altered = [...kept.keys()].filter((id) => !isSame(known.get(id), kept.get(id)));
  const implied = new Set([...change.after.keys()].filter((id) => changed.has(id)).flatMap(ancestorsOf));
  const removed = new Set(gone.filter((id) => !implied.has(id)));
  const touched = new Set([
    ...altered,
    ...[...changed, ...gone, ...altered].flatMap(ancestorsOf).filter((id) => !removed.has(id)),
    '/',
  ]);
  const groups = [...removed, ...touched].map((id) => [id, known.get(id) ?? null] as const);
  const record: RootRecord = {
    version,
    apps: Object.fromEntries([...changed].map((id) => [id, change.before.get(id) ?? null])),
    groups: Object.fromEntries(groups),
  };
  return [
    ...[...removed].map((key): Write => ({ kind: 'delete', table: 'groups', key })),
    ...[...touched].map((id): Write => put('groups', id, groupOf(id, version, kept.get(id)))),
    put('roots', version, record),
    ...tooOld(snapshot, Object.keys(record.apps).length),
  ];
}

function groupOf(id: string, version: Version, settings: GroupSettings = {}): Group {
  const { dependencies = [], enforceRole } = settings;
  return {
    id,
    version,
    ...(dependencies.length === 0 ? {} : { dependencies }),
    ...(enforceRole === undefined ? {} : { enforceRole }),
  };
}

/** Whether the group is there in both, and the same is said of it. */
function isSame(a: GroupSettings | undefined, b: GroupSettings | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const text = ({ dependencies = [], enforceRole }: GroupSettings) =>
    JSON.stringify([dependencies, enforceRole]);
  return text(a) === text(b);
}

function changedApps({ before, after, restarted = [] }: RootChange): ReadonlySet<AppId> {
  const differing = [...after].filter(([id, app]) => before.get(id) !== app).map(([id]) => id);
  return new Set([...differing, ...[...before.keys()].filter((id) => !after.has(id)), ...restarted]);
}

/** The oldest records beyond the bounds. The one that is being stored comes on top, with so many definitions. */
function tooOld(snapshot: Snapshot, definitions: number): readonly Write[] {
  const newestFirst = [...snapshot.table('roots').values()].sort((a, b) => (a.version < b.version ? 1 : -1));
  let [count, size] = [1, definitions];
  return newestFirst.flatMap((record): readonly Write[] => {
    count += 1;
    size += Object.keys(record.apps).length;
    const isKept = count <= keptRoots && size <= keptDefinitions;
    return isKept ? [] : [{ kind: 'delete', table: 'roots', key: record.version }];
  });
}

function put(table: 'groups' | 'roots', key: string, value: unknown): Write {
  return { kind: 'put', table, key, value };
}
