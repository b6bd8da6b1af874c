import { appIdTable } from '../model/app-id-table.ts';
import type { Certificate } from '../model/certificate.ts';
import type { DirectoryAgent, Endpoint, Vip } from '../model/directory.ts';
import { applyDelta, type Directory, type DirectoryDelta, emptyDirectory } from '../model/directory.ts';
import type { AppId } from '../model/ids.ts';
import type { Challenge } from '../model/issuance.ts';
import type { Listener } from '../model/listener.ts';
import type { Route } from '../model/route.ts';
import type { ServerSet } from '../model/server-set.ts';
import { endpointOf } from './endpoints.ts';
import { HostClaims } from './host-claims.ts';
import { LabelEntries, type ReadLabels } from './label-entries.ts';
import { defaultLabelSettings, type LabelSettings } from './label-settings.ts';
import { ListenerClaims } from './listener-claims.ts';
import { listenerRoute, operatorListener } from './listeners.ts';
import { PoolEntries } from './pools/pool-entries.ts';
import { operatorRoute } from './routes.ts';
import { SixApps } from './six-apps.ts';
import type { Snapshot } from './snapshot.ts';
import type { Change } from './store.ts';
import { versionKey } from './tables.ts';
import { addressNames, nameOfRecord, type VipClaim, vipClaims } from './vip-claims.ts';

export type DirectoryOptions = {
  /** Address of the machine whose master builds this, where it is known. */
  readonly leader?: string | undefined;
  /** Which labels of apps count. */
  readonly labels?: LabelSettings;
  /** How long an instance may drain, ms. */
  readonly drainLimitMs?: number;
};

/**
 * Keeps the Directory of a snapshot. Each change derives again only the entries of the instances, apps, routes and agents
 * it names, and gives only those that came out different.
 */
export class DirectoryBuilder {
  #directory: Directory = emptyDirectory;
  readonly #leader: string | undefined;
  readonly #drainLimitMs: number | undefined;
  readonly #claims = new Map<AppId, readonly VipClaim[]>();
  readonly #claimants = new Map<string, Set<AppId>>();
  /** Names of the address records that an app is reached by, and the reverse. */
  readonly #namesOf = new Map<AppId, readonly string[]>();
  readonly #named = new Map<string, Set<AppId>>();
  readonly #labels: LabelEntries;
  readonly #six = new SixApps();
  readonly #pools = new PoolEntries();

  constructor({ leader, labels = defaultLabelSettings, drainLimitMs }: DirectoryOptions = {}) {
    this.#leader = leader;
    this.#drainLimitMs = drainLimitMs;
    this.#labels = new LabelEntries(labels);
  }

  readonly #hosts = new HostClaims();

  /** Which team has which host. */
  get hosts(): HostClaims {
    return this.#hosts;
  }

  readonly #listeners = new ListenerClaims();

  /** Which listener has which place. */
  get listeners(): ListenerClaims {
    return this.#listeners;
  }

  get directory(): Directory {
    return this.#directory;
  }

  /** The Directory of the whole snapshot, from nothing. `store`: as in Directory. */
  rebuild(snapshot: Snapshot, store?: string): Directory {
    for (const index of [this.#claims, this.#claimants, this.#namesOf, this.#named]) index.clear();
    this.#labels.clear();
    this.#hosts.clear();
    this.#listeners.clear();
    this.#six.clear();
    this.#pools.clear();
    this.#directory = emptyDirectory;
    const records = (
      ['apps', 'placements', 'pools', 'routes', 'listeners', 'agents', 'certificates', 'challenges'] as const
    ).flatMap((table) => [...snapshot.table(table)].map(([key, value]) => ({ table, key, value })));
    this.update(snapshot, { revision: snapshot.revision, records });
    const revision = directoryRevision(snapshot.revision);
    this.#directory = { ...this.#directory, revision, ...(store === undefined ? {} : { store }) };
    return this.#directory;
  }

  /** Takes a change that the snapshot already contains; gives the delta, or undefined when the Directory stays as it is. */
  update(snapshot: Snapshot, change: Change): DirectoryDelta | undefined {
    const touched = this.#touchedBy(snapshot, change);
    const before = this.#directory;
    const endpoints = this.#endpoints(snapshot, touched.instances);
    if (endpoints !== undefined)
      for (const app of this.#six.follow(before.endpoints, endpoints)) touched.apps.add(app);
    const agents = changes(touched.agents, before.agents, (id) => directoryAgent(snapshot, id, this.#leader));
    const vips = this.#vips(snapshot, touched.apps);
    const pools = this.#pools.change(snapshot, touched);
    const labelled = this.#labels.change(snapshot.table('apps'), touched.apps);
    const sets = new Map([...pools.serverSets, ...labelled.serverSets]);
    const serverSets = changes<ServerSet>(sets.keys(), before.serverSets, (key) => sets.get(key));
    const labels = labelled.read;
    const routes = this.#routes(snapshot, touched, { pools: pools.routes, labels });
    const listeners = this.#listenersOf(snapshot, touched, { pools: pools.listeners, labels });
    const certificates = changes<Certificate>([...touched.certificates], before.certificates, (name) =>
      snapshot.table('certificates').get(name),
    );
    const challenges = changes<Challenge>([...touched.challenges], before.challenges, (key) =>
      snapshot.table('challenges').get(key),
    );
    const entries = {
      ...(endpoints && { endpoints }),
      ...(agents && { agents }),
      ...(vips && { vips }),
      ...(routes && { routes }),
      ...(listeners && { listeners }),
      ...(certificates && { certificates }),
      ...(challenges && { challenges }),
      ...(serverSets && { serverSets }),
    };
    if (Object.keys(entries).length === 0) return undefined;
    const delta = { from: before.revision, revision: directoryRevision(change.revision), ...entries };
    this.#directory = applyDelta(before, delta);
    return delta;
  }

  #endpoints(snapshot: Snapshot, ids: ReadonlySet<string>): Changes<Endpoint> | undefined {
    return changes(ids, this.#directory.endpoints, (id) => {
      const placement = snapshot.table('placements').get(id);
      const instance = snapshot.table('instances').get(id);
      if (placement === undefined || instance === undefined) return undefined;
      const agent = snapshot.table('agents').get(placement.agentId);
      const app = snapshot.table('versions').get(versionKey(placement.appId, placement.appVersion));
      return (
        agent && app && endpointOf({ placement, instance, app, agent, drainLimitMs: this.#drainLimitMs })
      );
    });
  }

  #vips(snapshot: Snapshot, apps: ReadonlySet<AppId>): Changes<Vip> | undefined {
    const keys = new Set<string>();
    for (const id of apps) {
      const app = snapshot.table('apps').get(id);
      const claims = app === undefined ? [] : vipClaims(app, snapshot.table('addresses'), this.#six.has(id));
      for (const claim of [...(this.#claims.get(id) ?? []), ...claims]) {
        keys.add(claim.key);
        leave(this.#claimants, claim.key, id);
      }
      for (const claim of claims) join(this.#claimants, claim.key, id);
      if (app === undefined) this.#claims.delete(id);
      else this.#claims.set(id, claims);
    }
    return changes(keys, this.#directory.vips, (key) => this.#vip(key));
  }

  #vip(key: string): Vip | undefined {
    const apps = [...(this.#claimants.get(key) ?? [])].sort();
    const claims = apps.flatMap((app) => (this.#claims.get(app) ?? []).filter((claim) => claim.key === key));
    const first = claims[0];
    if (first === undefined) return undefined;
    const { key: _, service: __, balance: ___, affinitySeconds: ____, ...vip } = first;
    const balance = claims.find((claim) => claim.balance !== undefined)?.balance;
    const affinitySeconds = claims.find((claim) => claim.affinitySeconds !== undefined)?.affinitySeconds;
    return {
      key,
      ...vip,
      services: claims.map((claim) => claim.service),
      ...(balance === undefined ? {} : { balance }),
      ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
    };
  }

  #routes(
    snapshot: Snapshot,
    touched: Touched,
    { pools, labels }: Derived<Route>,
  ): Changes<Route> | undefined {
    const wanted = new Map<string, Route | undefined>();
    for (const { before } of labels) for (const { id } of before.routes) wanted.set(id, undefined);
    for (const { after } of labels) for (const route of after.routes) wanted.set(route.id, route);
    const byId = takeOut(wanted, (id) => id.endsWith(`:${appIdTable}`));
    for (const id of touched.routes) {
      const record = snapshot.table('routes').get(id);
      wanted.set(`route:${id}`, record && operatorRoute(record));
    }
    for (const name of touched.listeners) {
      const record = snapshot.table('listeners').get(name);
      wanted.set(`listener:${name}`, record && listenerRoute(record));
    }
    const granted = this.#hosts.change(wanted, (host) => snapshot.table('hosts').get(host)?.team);
    // A pool has its listeners to itself: nobody else claims a host there. By its id an app is asked for, not by a host.
    const all = new Map([...granted, ...byId, ...pools]);
    return changes(all.keys(), this.#directory.routes, (id) => all.get(id));
  }

  #listenersOf(
    snapshot: Snapshot,
    touched: Touched,
    { pools, labels }: Derived<Listener>,
  ): Changes<Listener> | undefined {
    const wanted = new Map(pools);
    for (const { before } of labels) for (const { id } of before.listeners) wanted.set(id, undefined);
    for (const { after } of labels) for (const one of after.listeners) wanted.set(one.id, one);
    if (labels.length > 0) wanted.set(appIdTable, this.#labels.appIdListener);
    for (const name of touched.listeners) {
      const record = snapshot.table('listeners').get(name);
      wanted.set(name, record && operatorListener(record));
    }
    const granted = this.#listeners.change(wanted);
    return changes(granted.keys(), this.#directory.listeners, (id) => granted.get(id));
  }

  #touchedBy(snapshot: Snapshot, change: Change): Touched {
    const touched: Touched = {
      instances: new Set(),
      apps: new Set(),
      pools: new Set(),
      routes: new Set(),
      listeners: new Set(),
      agents: new Set(),
      certificates: new Set(),
      challenges: new Set(),
    };
    for (const { table, key } of change.records) {
      if (table === 'placements' || table === 'instances') touched.instances.add(key);
      if (table === 'apps') this.#touchApp(snapshot, key, touched);
      if (table === 'pools') touched.pools.add(key);
      if (table === 'routes') touched.routes.add(key);
      if (table === 'listeners') touched.listeners.add(key);
      if (table === 'certificates') touched.certificates.add(key);
      if (table === 'challenges') touched.challenges.add(key);
      if (table === 'agents') this.#touchAgent(snapshot, key, touched);
    }
    for (const { table, key } of change.records)
      if (table === 'addresses')
        for (const app of this.#named.get(nameOfRecord(key)) ?? []) touched.apps.add(app);
    return touched;
  }

  #touchApp(snapshot: Snapshot, id: AppId, touched: Touched): void {
    touched.apps.add(id);
    for (const name of this.#namesOf.get(id) ?? []) leave(this.#named, name, id);
    const app = snapshot.table('apps').get(id);
    const names = app === undefined ? [] : addressNames(app);
    for (const name of names) join(this.#named, name, id);
    if (app === undefined) this.#namesOf.delete(id);
    else this.#namesOf.set(id, names);
  }

  #touchAgent(snapshot: Snapshot, id: string, touched: Touched): void {
    touched.agents.add(id);
    if (this.#directory.agents.get(id)?.address === snapshot.table('agents').get(id)?.address) return;
    for (const placement of snapshot.placementsOn(id)) touched.instances.add(placement.instanceId);
  }
}

type Changes<T> = { readonly set: readonly T[]; readonly gone: readonly string[] };

/** What really changed of the entries of these keys; undefined: nothing. */
function changes<T>(
  keys: Iterable<string>,
  before: ReadonlyMap<string, T>,
  derive: (key: string) => T | undefined,
): Changes<T> | undefined {
  const set: T[] = [];
  const gone: string[] = [];
  for (const key of keys) {
    const [known, item] = [before.get(key), derive(key)];
    if (item === undefined) {
      if (known !== undefined) gone.push(key);
    } else if (known === undefined || !same(known, item)) set.push(item);
  }
  return set.length + gone.length === 0 ? undefined : { set, gone };
}

/** The entries of these keys, which are not in `all` any more. */
function takeOut<T>(all: Map<string, T>, isMeant: (key: string) => boolean): ReadonlyMap<string, T> {
  const taken = new Map([...all].filter(([key]) => isMeant(key)));
  for (const key of taken.keys()) all.delete(key);
  return taken;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function directoryAgent(
  snapshot: Snapshot,
  id: string,
  leader: string | undefined,
): DirectoryAgent | undefined {
  const agent = snapshot.table('agents').get(id);
  if (agent === undefined) return undefined;
  const { hostname, address, attributes } = agent;
  const leads = address === leader;
  const master = leads || attributes['weir.master'] === 'true';
  return { id, hostname, address, master, ...(leads ? { leader: true } : {}) };
}

/** What apps and pools declare. */
type Derived<T> = {
  readonly pools: ReadonlyMap<string, T | undefined>;
  readonly labels: readonly ReadLabels[];
};

type Touched = {
  readonly instances: Set<string>;
  readonly apps: Set<AppId>;
  readonly pools: Set<string>;
  readonly routes: Set<string>;
  readonly listeners: Set<string>;
  readonly agents: Set<string>;
  readonly certificates: Set<string>;
  readonly challenges: Set<string>;
};

/** A Directory is never of revision 0 (that is "none held"), not even that of an empty store. */
function directoryRevision(storeRevision: number): number {
  return storeRevision + 1;
}

function join(index: Map<string, Set<AppId>>, key: string, id: AppId): void {
  index.set(key, (index.get(key) ?? new Set()).add(id));
}

function leave(index: Map<string, Set<AppId>>, key: string, id: AppId): void {
  const members = index.get(key);
  members?.delete(id);
  if (members?.size === 0) index.delete(key);
}
