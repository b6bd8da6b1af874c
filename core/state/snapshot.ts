import type { App } from '../model/app.ts';
import type { AppId } from '../model/ids.ts';
import type { Placement } from '../model/placement.ts';
import type { Change, StoredRecord } from './store.ts';
import { type KnownTable, knownTables, type Tables } from './tables.ts';

/**
 * All tables as of one revision. Decisions read it synchronously, so what they see is one moment;
 * it must not be kept over an `await`.
 */
export interface Snapshot {
  readonly revision: number;
  table<K extends KnownTable>(name: K): ReadonlyMap<string, Tables[K]>;
  placementsOf(app: AppId): readonly Placement[];
  placementsOn(agent: string): readonly Placement[];
  /** Every stored version of an app, in the order they were stored. */
  versionsOf(app: AppId): readonly App[];
}

/** The tables in memory, kept up to date by changes. */
export class Replica implements Snapshot {
  revision = 0;
  readonly #tables = new Map<KnownTable, Map<string, unknown>>();
  readonly #byApp: Index<Placement> = new Map();
  readonly #byAgent: Index<Placement> = new Map();
  readonly #versions: Index<App> = new Map();

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
    for (const record of change.records) this.#set(record.table, record.key, record.value);
    this.revision = change.revision;
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

  #clear(): void {
    for (const name of knownTables) this.#tables.set(name, new Map());
    for (const index of [this.#byApp, this.#byAgent, this.#versions]) index.clear();
  }

  #set(name: string, key: string, value: unknown): void {
    const table = this.#tables.get(name as KnownTable);
    if (table === undefined) return;
    const before = table.get(key);
    if (name === 'placements') this.#indexPlacement(key, before as Placement, value as Placement);
    if (name === 'versions')
      reindex(this.#versions, key, { before: before as App, after: value as App }, (app) => app.id);
    if (value === undefined) table.delete(key);
    else table.set(key, value);
  }

  #indexPlacement(key: string, before: Placement | undefined, after: Placement | undefined): void {
    reindex(this.#byApp, key, { before, after }, (placement) => placement.appId);
    reindex(this.#byAgent, key, { before, after }, (placement) => placement.agentId);
  }
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
