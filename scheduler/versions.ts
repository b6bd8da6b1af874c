import type { AppId } from '../core/model/ids.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';
import { versionKey } from '../core/state/tables.ts';

/** Versions of an app that are kept for looking back and rolling back. */
const keptVersions = 50;

/** Forgets the oldest versions of an app beyond the limit; those that something was launched from stay. */
export function oldVersionWrites(id: AppId, snapshot: Snapshot): readonly Write[] {
  return forget(id, snapshot, new Set(snapshot.placementsOf(id).map((placement) => placement.appVersion)));
}

/** Forgets every version of an app that is deleted and of which nothing is left. */
export function allVersionWrites(id: AppId, snapshot: Snapshot): readonly Write[] {
  return snapshot.versionsOf(id).map((app) => forgetOne(id, app.version));
}

function forget(id: AppId, snapshot: Snapshot, used: ReadonlySet<string>): readonly Write[] {
  const newestFirst = snapshot
    .versionsOf(id)
    .map((app) => app.version)
    .sort()
    .reverse();
  // One place is for the version that is being stored together with these writes.
  return newestFirst
    .slice(keptVersions - 1)
    .filter((version) => !used.has(version))
    .map((version) => forgetOne(id, version));
}

function forgetOne(id: AppId, version: string): Write {
  return { kind: 'delete', table: 'versions', key: versionKey(id, version) };
}
