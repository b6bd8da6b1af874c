import type { App } from '../../model/app.ts';
import { readPool } from '../../model/edgelb/read-pool.ts';
import type { AppId } from '../../model/ids.ts';
import type { Listener } from '../../model/listener.ts';
import type { Route } from '../../model/route.ts';
import type { ServerSet, ServerSource } from '../../model/server-set.ts';
import type { Snapshot } from '../snapshot.ts';
import { type CompiledPool, compilePool } from './compile.ts';
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

  clear(): void {
    this.#pools.clear();
  }

  /** Takes a change that the snapshot already contains. */
  change(snapshot: Snapshot, { pools, apps }: Touched): PoolChanges {
    const changes: PoolChanges = { routes: new Map(), listeners: new Map(), serverSets: new Map() };
    for (const pool of this.#pools.values()) pool.follow(snapshot, apps, changes);
    for (const name of pools) {
      this.#pools.get(name)?.leave(changes);
      const compiled = compiledOf(snapshot, name);
      if (compiled === undefined) this.#pools.delete(name);
      else this.#pools.set(name, new KnownPool(compiled, snapshot, changes));
    }
    return changes;
  }
}

/** A record of another version that cannot be read has nothing in force; `weir pool status` says why. */
function compiledOf(snapshot: Snapshot, name: string): CompiledPool | undefined {
  const record = snapshot.table('pools').get(name);
  if (record?.kind !== 'pool') return undefined;
  const read = readPool(record.definition);
  return read.kind === 'pool' ? compilePool(read.pool, record.ports) : undefined;
}

class KnownPool {
  readonly #compiled: CompiledPool;
  /** By the key of the set, for each service of the backend. */
  readonly #chosen = new Map<string, readonly Map<AppId, ServerSource>[]>();

  constructor(compiled: CompiledPool, snapshot: Snapshot, changes: PoolChanges) {
    this.#compiled = compiled;
    for (const route of compiled.routes) changes.routes.set(route.id, route);
    for (const listener of compiled.listeners) changes.listeners.set(listener.id, listener);
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
    for (const { id } of this.#compiled.listeners) changes.listeners.set(id, undefined);
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
