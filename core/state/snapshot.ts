import { timestamp } from '../kit/clock.ts';
import type { App } from '../model/app.ts';
import type { AppId, Version } from '../model/ids.ts';
import type { Instance } from '../model/instance.ts';
import type { Placement } from '../model/placement.ts';
import type { Change, StoredRecord } from './store.ts';
import { type KnownTable, knownTables, type Tables } from './tables.ts';
import { addressNames } from './vip-claims.ts';

/**
 * All tables as of one revision. Decisions read it synchronously, so what they see is one moment;
 * it must not be kept over an `await`.
 */
export interface Snapshot {
  readonly revision: number;
  table<K extends KnownTable>(name: K): ReadonlyMap<string, Tables[K]>;
  placementsOf(app: AppId): readonly Placement[];
  placementsOn(agent: string): readonly Placement[];
  /** Newer than or as new as every version that was ever stored while this copy was kept. */
  readonly newestVersion: Version;
  /** The revision that last changed an instance of the app, what its agent says, where it is or how it failed. */
  changedAt(app: AppId): number;
  /** How many apps have this name (`AddressRecord.name`). */
  appsNamed(name: string): number;
  /** Every stored version of an app, in the order they were stored. */
  versionsOf(app: AppId): readonly App[];
}

/** Ids of apps, versions and agents that are kept for sharing. */
const mostWords = 50_000;

/** The tables in memory, kept up to date by changes. */
export class Replica implements Snapshot {
  revision = 0;
  newestVersion: Version = timestamp(0);
  readonly #tables = new Map<KnownTable, Map<string, unknown>>();
  readonly #byApp: Index<Placement> = new Map();
  readonly #byAgent: Index<Placement> = new Map();
  readonly #versions: Index<App> = new Map();
  readonly #names = new Map<string, number>();
  readonly #changedAt = new Map<AppId, number>();
  readonly #words = new Map<string, string>();

  constructor() {
    this.#clear();
  }

  /** Forgets what was there and takes these records. */
  load(revision: number, records: readonly StoredRecord[]): void {
    this.#clear();
    this.revision = revision;
    for (const record of records) this.#set(record.table, record.key, record.value);
  }

  apply(change: Change): void {
    this.revision = change.revision;
    for (const record of change.records) this.#set(record.table, record.key, record.value);
  }

  table<K extends KnownTable>(name: K): ReadonlyMap<string, Tables[K]> {
    return this.#tables.get(name) as ReadonlyMap<string, Tables[K]>;
  }

  placementsOf(app: AppId): readonly Placement[] {
    return [...(this.#byApp.get(app)?.values() ?? [])];
  }

  placementsOn(agent: string): readonly Placement[] {
    return [...(this.#byAgent.get(agent)?.values() ?? [])];
  }

  versionsOf(app: AppId): readonly App[] {
    return [...(this.#versions.get(app)?.values() ?? [])];
  }

  changedAt(app: AppId): number {
    return this.#changedAt.get(app) ?? 0;
  }

  appsNamed(name: string): number {
    return this.#names.get(name) ?? 0;
  }

  #clear(): void {
    this.newestVersion = timestamp(0);
    this.#names.clear();
    this.#changedAt.clear();
    for (const name of knownTables) this.#tables.set(name, new Map());
    for (const index of [this.#byApp, this.#byAgent, this.#versions]) index.clear();
  }

  #set(name: string, key: string, stored: unknown): void {
    const table = this.#tables.get(name as KnownTable);
    if (table === undefined) return;
    const before = table.get(key);
    const value =
      stored === undefined || !isOfInstance(name) ? stored : this.#withSharedWords(name, key, stored);
    this.#noteApps(name, key, before, value);
    if (name === 'placements') this.#indexPlacement(key, before as Placement, value as Placement);
    if (name === 'apps') this.#indexNames(before as App | undefined, value as App | undefined);
    if (name === 'versions') this.#indexVersion(key, before as App | undefined, value as App | undefined);
    if (value === undefined) table.delete(key);
    else table.set(isOfInstance(name) ? (value as Placement | Instance).instanceId : key, value);
  }

  /** Of the two records that each instance has, the ids are kept once: there may be a hundred thousand. */
  #withSharedWords(name: string, key: string, value: unknown): unknown {
    const record = value as { -readonly [K in keyof Placement]: Placement[K] };
    const other = this.#tables.get(name === 'placements' ? 'instances' : 'placements')?.get(key);
    // Put in place: the same texts, so the value stays what it is, and no copy is made of each record at a start.
    record.instanceId = (other as Placement | undefined)?.instanceId ?? record.instanceId;
    record.appId = this.#word(record.appId);
    record.appVersion = this.#word(record.appVersion);
    record.agentId = this.#word(record.agentId);
    return record;
  }

  #word(word: string): string {
    const known = this.#words.get(word);
    if (known !== undefined) return known;
    if (this.#words.size > mostWords) this.#words.clear();
    this.#words.set(word, word);
    return word;
  }

  #noteApps(name: string, key: string, before: unknown, after: unknown): void {
    if (name === 'agents')
      for (const { appId } of this.placementsOn(key)) this.#changedAt.set(appId, this.revision);
    if (!isOfInstance(name) && name !== 'failures') return;
    for (const value of [before, after])
      if (value !== undefined) this.#changedAt.set((value as { appId: AppId }).appId, this.revision);
  }

  #indexVersion(key: string, before: App | undefined, after: App | undefined): void {
    reindex(this.#versions, key, { before, after }, (app) => app.id);
    if (after !== undefined && after.version > this.newestVersion) this.newestVersion = after.version;
  }

  #indexNames(before: App | undefined, after: App | undefined): void {
    const count = (app: App | undefined, by: number) => {
      for (const name of app === undefined ? [] : addressNames(app)) {
        const users = (this.#names.get(name) ?? 0) + by;
        if (users > 0) this.#names.set(name, users);
        else this.#names.delete(name);
      }
    };
    count(before, -1);
    count(after, 1);
  }

  #indexPlacement(key: string, before: Placement | undefined, after: Placement | undefined): void {
    reindex(this.#byApp, key, { before, after }, (placement) => placement.appId);
    reindex(this.#byAgent, key, { before, after }, (placement) => placement.agentId);
  }
}

/** Tables of which the key is the instance's id. */
function isOfInstance(name: string): boolean {
  return name === 'placements' || name === 'instances';
}

type Index<T> = Map<string, Map<string, T>>;

/** Moves a record to the group it is in now. A group that becomes empty goes. */
function reindex<T>(
  index: Index<T>,
  key: string,
  { before, after }: { before: T | undefined; after: T | undefined },
  groupOf: (record: T) => string,
): void {
  const from = before === undefined ? undefined : groupOf(before);
  const to = after === undefined ? undefined : groupOf(after);
  if (from !== undefined && from !== to) {
    const group = index.get(from);
    group?.delete(key);
    if (group?.size === 0) index.delete(from);
  }
  if (to === undefined || after === undefined) return;
  const group = index.get(to) ?? new Map<string, T>();
  group.set(key, after);
  index.set(to, group);
}
