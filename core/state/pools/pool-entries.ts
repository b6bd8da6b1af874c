import type { App } from '../../model/app.ts';
import { readPool } from '../../model/edgelb/read-pool.ts';
import type { AppId } from '../../model/ids.ts';
import type { Listener } from '../../model/listener.ts';
import type { Route } from '../../model/route.ts';
import type { ServerSet, ServerSource } from '../../model/server-set.ts';
import type { Snapshot } from '../snapshot.ts';
import type { PoolRecord } from '../tables.ts';
import { type CompiledPool, compilePool } from './compile.ts';
import { poolsByLabels } from './label-pools.ts';
import { isExposed } from './pool-labels.ts';
import type { SourceChooser } from './server-sources.ts';

/** What may have become of these entries of the Directory; undefined: it is gone. */
export type PoolChanges = {
  readonly routes: Map<string, Route | undefined>;
  readonly listeners: Map<string, Listener | undefined>;
  readonly serverSets: Map<string, ServerSet | undefined>;
};

type Touched = { readonly pools: ReadonlySet<string>; readonly apps: ReadonlySet<AppId> };

/** Keeps what the stored pools are in the Directory. An app that changes is looked at by each service once; nothing else is. */
export class PoolEntries {
  readonly #pools = new Map<string, KnownPool>();

  /** Apps that are in a pool by their labels. */
  readonly #exposed = new Set<AppId>();

  clear(): void {
    this.#pools.clear();
    this.#exposed.clear();
  }

  /** Takes a change that the snapshot already contains. */
  change(snapshot: Snapshot, { pools, apps }: Touched): PoolChanges {
    const changes: PoolChanges = { routes: new Map(), listeners: new Map(), serverSets: new Map() };
    for (const pool of this.#pools.values()) pool.follow(snapshot, apps, changes);
    for (const name of pools) this.#set(name, compiledOf(snapshot, name), snapshot, changes);
    if (this.#labelsChanged(snapshot, apps) || [...pools].some(isTemplate))
      this.#setLabelled(snapshot, changes);
    return changes;
  }

  #set(name: string, compiled: CompiledPool | undefined, snapshot: Snapshot, changes: PoolChanges): void {
    this.#pools.get(name)?.leave(changes);
    if (compiled === undefined) this.#pools.delete(name);
    else this.#pools.set(name, new KnownPool(compiled, snapshot, changes));
  }

  #setLabelled(snapshot: Snapshot, changes: PoolChanges): void {
    const made = poolsByLabels(snapshot);
    for (const key of [...this.#pools.keys()].filter(isLabelled))
      this.#set(key, undefined, snapshot, changes);
    for (const [template, { definition }] of made)
      this.#set(`${labelled}${template}`, compiledFrom(definition, {}), snapshot, changes);
  }

  #labelsChanged(snapshot: Snapshot, apps: ReadonlySet<AppId>): boolean {
    let changed = false;
    for (const id of apps) {
      const app = snapshot.table('apps').get(id);
      const is = app !== undefined && isExposed(app);
      if (is || this.#exposed.has(id)) changed = true;
      if (is) this.#exposed.add(id);
      else this.#exposed.delete(id);
    }
    return changed;
  }
}

/** Pools that labels make have keys that no stored one can have. */
const labelled = 'labels:';

function isLabelled(key: string): boolean {
  return key.startsWith(labelled);
}

function isTemplate(key: string): boolean {
  return key.startsWith('template:');
}

/** A record of another version that cannot be read has nothing in force; `weir pool status` says why. */
function compiledOf(snapshot: Snapshot, name: string): CompiledPool | undefined {
  const record = snapshot.table('pools').get(name);
  if (record?.kind !== 'pool') return undefined;
  return compiledFrom(record.definition, record.ports);
}

function compiledFrom(definition: unknown, ports: PoolRecord['ports']): CompiledPool | undefined {
  const read = readPool(definition);
  return read.kind === 'pool' ? compilePool(read.pool, ports) : undefined;
}

class KnownPool {
  readonly #compiled: CompiledPool;
  /** By the key of the set, for each service of the backend. */
  readonly #chosen = new Map<string, readonly Map<AppId, ServerSource>[]>();

  constructor(compiled: CompiledPool, snapshot: Snapshot, changes: PoolChanges) {
    this.#compiled = compiled;
    for (const route of compiled.routes) changes.routes.set(route.id, route);
    for (const listener of listenersOf(compiled)) changes.listeners.set(listener.id, listener);
    for (const [key, choosers] of compiled.choosers) {
      const chosen = choosers.map((chooser) => chosenBy(chooser, snapshot.table('apps').values()));
      this.#chosen.set(key, chosen);
      changes.serverSets.set(key, this.#setOf(key, choosers));
    }
  }

  follow(snapshot: Snapshot, apps: ReadonlySet<AppId>, changes: PoolChanges): void {
    for (const [key, choosers] of this.#compiled.choosers) {
      let changed = false;
      for (const [n, chooser] of choosers.entries())
        for (const id of apps)
          if (choose(this.#chosen.get(key)?.[n], chooser, [id, snapshot.table('apps').get(id)]))
            changed = true;
      if (changed) changes.serverSets.set(key, this.#setOf(key, choosers));
    }
  }

  leave(changes: PoolChanges): void {
    for (const { id } of this.#compiled.routes) changes.routes.set(id, undefined);
    for (const { id } of listenersOf(this.#compiled)) changes.listeners.set(id, undefined);
    for (const key of this.#compiled.choosers.keys()) changes.serverSets.set(key, undefined);
  }

  #setOf(key: string, choosers: readonly SourceChooser[]): ServerSet {
    const chosen = this.#chosen.get(key) ?? [];
    const sources = choosers.flatMap(({ fixed }, n) => [
      ...fixed,
      ...[...(chosen[n] ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source),
    ]);
    return { key, sources };
  }
}

function listenersOf({ listeners, spareListeners }: CompiledPool): readonly Listener[] {
  return [...listeners, ...spareListeners];
}

function chosenBy(chooser: SourceChooser, apps: Iterable<App>): Map<AppId, ServerSource> {
  return new Map(
    [...apps].flatMap((app) => {
      const source = chooser.of(app);
      return source === undefined ? [] : [[app.id, source] as const];
    }),
  );
}

/** Whether anything may have changed. */
function choose(
  chosen: Map<AppId, ServerSource> | undefined,
  chooser: SourceChooser,
  [id, app]: readonly [AppId, App | undefined],
): boolean {
  const source = app && chooser.of(app);
  if (source === undefined) return chosen?.delete(id) === true;
  chosen?.set(id, source);
  return true;
}
