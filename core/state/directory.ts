import type { DirectoryAgent, Endpoint, Route, Vip } from '../model/directory.ts';
import {
  applyDelta,
  type Directory,
  type DirectoryDelta,
  deltaBetween,
  emptyDirectory,
} from '../model/directory.ts';
import type { AppId } from '../model/ids.ts';
import { endpointOf } from './endpoints.ts';
import { labelRoutes, operatorRoute } from './routes.ts';
import type { Snapshot } from './snapshot.ts';
import type { Change } from './store.ts';
import { versionKey } from './tables.ts';
import { type VipClaim, vipClaims } from './vip-claims.ts';

/**
 * Keeps the Directory of a snapshot. Each change costs work proportional to what it touched:
 * entries are derived again only for the instances, apps, routes and agents it names.
 */
export class DirectoryBuilder {
  #directory: Directory = emptyDirectory;
  readonly #claims = new Map<AppId, readonly VipClaim[]>();
  readonly #claimants = new Map<string, Set<AppId>>();
  readonly #routesOf = new Map<AppId, readonly Route[]>();

  get directory(): Directory {
    return this.#directory;
  }

  /** The Directory of the whole snapshot, from nothing. */
  rebuild(snapshot: Snapshot): Directory {
    const records = (['apps', 'placements', 'routes', 'agents'] as const).flatMap((table) =>
      [...snapshot.table(table)].map(([key, value]) => ({ table, key, value })),
    );
    this.update(snapshot, { revision: snapshot.revision, records });
    this.#directory = { ...this.#directory, revision: Math.max(1, snapshot.revision) };
    return this.#directory;
  }

  /** Takes a change that the snapshot already contains; gives the delta, or undefined when the Directory stays as it is. */
  update(snapshot: Snapshot, change: Change): DirectoryDelta | undefined {
    const touched = touchedBy(snapshot, change, this.#directory);
    const next: DirectoryDelta = {
      from: this.#directory.revision,
      revision: change.revision,
      endpoints: this.#endpoints(snapshot, touched.instances),
      agents: changes([...touched.agents], this.#directory.agents, (id) => directoryAgent(snapshot, id)),
      vips: this.#vips(snapshot, touched.apps),
      routes: this.#routes(snapshot, touched.apps, touched.routes),
    };
    const after = applyDelta(this.#directory, next.from === 0 ? { ...next, from: -1 } : next);
    const delta = deltaBetween(this.#directory, after);
    if (delta !== undefined) this.#directory = after;
    return delta;
  }

  #endpoints(snapshot: Snapshot, ids: ReadonlySet<string>): Changes<Endpoint> {
    return changes([...ids], this.#directory.endpoints, (id) => {
      const placement = snapshot.table('placements').get(id);
      const instance = snapshot.table('instances').get(id);
      if (placement === undefined || instance === undefined) return undefined;
      const agent = snapshot.table('agents').get(placement.agentId);
      const app = snapshot.table('versions').get(versionKey(placement.appId, placement.appVersion));
      return agent && app && endpointOf({ placement, instance, app, agent });
    });
  }

  #vips(snapshot: Snapshot, apps: ReadonlySet<AppId>): Changes<Vip> {
    const keys = new Set<string>();
    for (const id of apps) {
      for (const claim of this.#claims.get(id) ?? []) {
        keys.add(claim.key);
        this.#claimants.get(claim.key)?.delete(id);
      }
      const app = snapshot.table('apps').get(id);
      const claims = app === undefined ? [] : vipClaims(app, snapshot.table('addresses'));
      this.#claims.set(id, claims);
      for (const claim of claims) {
        keys.add(claim.key);
        this.#claimants.set(claim.key, (this.#claimants.get(claim.key) ?? new Set()).add(id));
      }
    }
    return changes([...keys], this.#directory.vips, (key) => this.#vip(key));
  }

  #vip(key: string): Vip | undefined {
    const apps = [...(this.#claimants.get(key) ?? [])].sort();
    const claims = apps.flatMap((app) => (this.#claims.get(app) ?? []).filter((claim) => claim.key === key));
    const first = claims[0];
    if (first === undefined) return undefined;
    const { key: _, service: __, ...vip } = first;
    return { key, ...vip, services: claims.map((claim) => claim.service) };
  }

  #routes(snapshot: Snapshot, apps: ReadonlySet<AppId>, operator: ReadonlySet<string>): Changes<Route> {
    const wanted = new Map<string, Route | undefined>();
    for (const id of apps) {
      for (const route of this.#routesOf.get(id) ?? []) wanted.set(route.id, undefined);
      const app = snapshot.table('apps').get(id);
      const routes = app === undefined ? [] : labelRoutes(app);
      this.#routesOf.set(id, routes);
      for (const route of routes) wanted.set(route.id, route);
    }
    for (const id of operator) {
      const record = snapshot.table('routes').get(id);
      wanted.set(`route:${id}`, record && operatorRoute(record));
    }
    return changes([...wanted.keys()], this.#directory.routes, (id) => wanted.get(id));
  }
}

type Changes<T> = { readonly set: readonly T[]; readonly gone: readonly string[] };

/** Equal values keep their identity, so that a delta names only what really changed. */
function changes<T>(
  keys: readonly string[],
  before: ReadonlyMap<string, T>,
  derive: (key: string) => T | undefined,
): Changes<T> {
  const derived = keys.map((key) => ({ key, item: derive(key) }));
  return {
    set: derived.flatMap(({ key, item }) =>
      item === undefined || same(before.get(key), item) ? [] : [item],
    ),
    gone: derived.flatMap(({ key, item }) => (item === undefined && before.has(key) ? [key] : [])),
  };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function directoryAgent(snapshot: Snapshot, id: string): DirectoryAgent | undefined {
  const agent = snapshot.table('agents').get(id);
  if (agent === undefined) return undefined;
  return {
    id,
    hostname: agent.hostname,
    address: agent.address,
    master: agent.attributes['weir.master'] === 'true',
  };
}

type Touched = {
  readonly instances: Set<string>;
  readonly apps: Set<AppId>;
  readonly routes: Set<string>;
  readonly agents: Set<string>;
};

function touchedBy(snapshot: Snapshot, change: Change, before: Directory): Touched {
  const touched: Touched = { instances: new Set(), apps: new Set(), routes: new Set(), agents: new Set() };
  for (const { table, key } of change.records) {
    if (table === 'placements' || table === 'instances') touched.instances.add(key);
    if (table === 'apps') touched.apps.add(key);
    if (table === 'routes') touched.routes.add(key);
    if (table !== 'agents') continue;
    touched.agents.add(key);
    if (before.agents.get(key)?.address === snapshot.table('agents').get(key)?.address) continue;
    for (const placement of snapshot.placementsOn(key)) touched.instances.add(placement.instanceId);
  }
  return touched;
}
