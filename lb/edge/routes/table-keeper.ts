import {
  applyDelta,
  type Directory,
  type DirectoryDelta,
  emptyDirectory,
} from '../../../core/model/directory.ts';
import type { Route } from '../../../core/model/route.ts';
import { emptyTable, type RouteTable, updateTable } from './route-table.ts';

/**
 * Keeps the route table of a Directory that comes as deltas. The routes are held in one map that is changed in place: a copy
 * of ten thousand for each change would cost more than all else.
 */
export class TableKeeper {
  #routes = new Map<string, Route>();
  /** Everything but its routes. */
  #rest: Directory = emptyDirectory;
  #table: RouteTable = emptyTable;

  get table(): RouteTable {
    return this.#table;
  }

  get certificates(): Directory['certificates'] {
    return this.#rest.certificates;
  }

  get challenges(): Directory['challenges'] {
    return this.#rest.challenges;
  }

  /** The table after `delta`; one with `from: 0` replaces everything. */
  apply(delta: DirectoryDelta): RouteTable {
    if (delta.from === 0) this.#routes = new Map();
    const { routes = { set: [], gone: [] }, ...others } = delta;
    const before = {
      ...this.#rest,
      routes: this.#present([...routes.gone, ...routes.set.map(({ id }) => id)]),
    };
    for (const id of routes.gone) this.#routes.delete(id);
    for (const route of routes.set) this.#routes.set(route.id, route);
    this.#rest = applyDelta(this.#rest, others);
    this.#table = updateTable(this.#table, [before, { ...this.#rest, routes: this.#routes }], delta);
    return this.#table;
  }

  #present(ids: readonly string[]): ReadonlyMap<string, Route> {
    return new Map(
      ids.flatMap((id) => {
        const route = this.#routes.get(id);
        return route === undefined ? [] : [[id, route] as const];
      }),
    );
  }
}
