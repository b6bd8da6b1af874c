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
}

/** The tables in memory, kept up to date by changes. */
export class Replica implements Snapshot {
  revision = 0;
  readonly #tables = new Map<KnownTable, Map<string, unknown>>();
  readonly #byApp = new Map<string, Map<string, Placement>>();
  readonly #byAgent = new Map<string, Map<string, Placement>>();

  constructor() {
    for (const name of knownTables) this.#tables.set(name, new Map());
  }

  load(revision: number, records: readonly StoredRecord[]): void {
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

  #set(name: string, key: string, value: unknown): void {
    const table = this.#tables.get(name as KnownTable);
    if (table === undefined) return;
    if (name === 'placements') this.#index(key, value as Placement | undefined);
    if (value === undefined) table.delete(key);
    else table.set(key, value);
  }

  #index(key: string, placement: Placement | undefined): void {
    const before = this.#tables.get('placements')?.get(key) as Placement | undefined;
    if (before !== undefined) {
      removeFrom(this.#byApp, before.appId, key);
      removeFrom(this.#byAgent, before.agentId, key);
    }
    if (placement === undefined) return;
    groupOf(this.#byApp, placement.appId).set(key, placement);
    groupOf(this.#byAgent, placement.agentId).set(key, placement);
  }
}

function groupOf(index: Map<string, Map<string, Placement>>, name: string): Map<string, Placement> {
  const group = index.get(name) ?? new Map<string, Placement>();
  index.set(name, group);
  return group;
}

function removeFrom(index: Map<string, Map<string, Placement>>, name: string, key: string): void {
  const group = index.get(name);
  group?.delete(key);
  if (group?.size === 0) index.delete(name);
}
