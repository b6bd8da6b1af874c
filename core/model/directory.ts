import type { Certificate } from './certificate.ts';
import type { AgentId, AppId, InstanceId, TaskId } from './ids.ts';
import type { NetworkAddress } from './instance.ts';
import type { Challenge } from './issuance.ts';
import { changedMap } from './layered-map.ts';
import type { Listener } from './listener.ts';
import type { Route, ServiceRef } from './route.ts';
import type { ServerSet } from './server-set.ts';
import type { VipBalance } from './vip-policy.ts';

/** One port of an instance that others can reach. */
export type EndpointPort = {
  readonly index: number;
  readonly name?: string;
  readonly protocols: readonly ('tcp' | 'udp')[];
  /** Where a connection goes: the agent and its host port, or the container and its port. */
  readonly address: string;
  readonly port: number;
  /** `host`: address is the agent's; `container`: address is the container's. */
  readonly scope: 'host' | 'container';
  readonly hostPort?: number;
  readonly containerPort?: number;
  /** Port labels of the app (VIP_0, …). */
  readonly labels: Readonly<Record<string, string>>;
};

/** A running instance that takes part in traffic. */
export type Endpoint = {
  readonly instanceId: InstanceId;
  readonly taskId: TaskId;
  readonly appId: AppId;
  readonly agentId: AgentId;
  readonly agentAddress: string;
  readonly addresses: readonly NetworkAddress[];
  readonly ports: readonly EndpointPort[];
  /** False: running but its health checks do not pass (yet): named by the API, given no new traffic. */
  readonly ready: boolean;
  /** Its agent is not heard of; never ready. A VIP whose backends are all like this keeps them (vip.md §7). */
  readonly unreachable?: true;
  /**
   * It is to end: it gets nothing new and keeps what it has; never ready. `until`: when it is stopped at the latest, ms since
   * the epoch. Only those whose checks pass are told of, and only to agents that understand it; to others they are gone.
   */
  readonly draining?: { readonly until?: number };
  /** Never from the master: connections of this machine to it failed lately, so its names here leave it out; never ready. */
  readonly failing?: true;
};

/** `weight`: share of the VIP's new connections, 0 takes none; default 1. */
export type WeightedService = ServiceRef & { readonly weight?: number };

/** A virtual address and port. `key` is `<proto>:<name or address>:<port>`. */
export type Vip = {
  readonly key: string;
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** Fully qualified DNS names that answer with this address, no trailing dot. Empty for a literal address. */
  readonly names: readonly string[];
  /** Backends: the ready endpoints of all of these. */
  readonly services: readonly WeightedService[];
  /** Default `random`. */
  readonly balance?: VipBalance;
  /** A client stays where its last connection went, until so long without any, s. Absent: it does not. */
  readonly affinitySeconds?: number;
};

export type DirectoryAgent = {
  readonly id: AgentId;
  readonly hostname: string;
  readonly address: string;
  readonly master: boolean;
  /** The master that serves runs here. On none of them: unknown. */
  readonly leader?: true;
};

/** Everything names, virtual addresses and routes are made of. A value: never changed, only replaced. */
export type Directory = {
  readonly revision: number;
  /** Names the store that the revision is of; another store's revisions say nothing. Absent from masters of before. */
  readonly store?: string;
  readonly agents: ReadonlyMap<AgentId, DirectoryAgent>;
  readonly endpoints: ReadonlyMap<InstanceId, Endpoint>;
  readonly vips: ReadonlyMap<string, Vip>;
  readonly routes: ReadonlyMap<string, Route>;
  /** Only where an edge is. */
  readonly listeners: ReadonlyMap<string, Listener>;
  /** Only where an edge is. */
  readonly certificates: ReadonlyMap<string, Certificate>;
  /** What authorities are answered; only where an edge is. */
  readonly challenges: ReadonlyMap<string, Challenge>;
  readonly serverSets: ReadonlyMap<string, ServerSet>;
  /** Derived index: endpoints by app, in order of instance id. */
  readonly byApp: ReadonlyMap<AppId, readonly Endpoint[]>;
};

type Changes<T> = { readonly set: readonly T[]; readonly gone: readonly string[] };

/** The difference between two revisions; also the wire form. `from` is 0 for a whole snapshot. */
export type DirectoryDelta = {
  readonly from: number;
  readonly revision: number;
  /** With a whole snapshot only: as in Directory. */
  readonly store?: string;
  readonly agents?: Changes<DirectoryAgent>;
  readonly endpoints?: Changes<Endpoint>;
  readonly vips?: Changes<Vip>;
  readonly routes?: Changes<Route>;
  readonly listeners?: Changes<Listener>;
  readonly certificates?: Changes<Certificate>;
  readonly challenges?: Changes<Challenge>;
  readonly serverSets?: Changes<ServerSet>;
};

export const emptyDirectory: Directory = {
  revision: 0,
  agents: new Map(),
  endpoints: new Map(),
  vips: new Map(),
  routes: new Map(),
  listeners: new Map(),
  certificates: new Map(),
  challenges: new Map(),
  serverSets: new Map(),
  byApp: new Map(),
};

/** The Directory after a delta. A delta with `from: 0` replaces everything. */
export function applyDelta(directory: Directory, delta: DirectoryDelta): Directory {
  const base = delta.from === 0 ? emptyDirectory : directory;
  const endpoints = merged(base.endpoints, delta.endpoints, (endpoint) => endpoint.instanceId);
  const store = delta.from === 0 ? delta.store : directory.store;
  return {
    revision: delta.revision,
    ...(store === undefined ? {} : { store }),
    agents: merged(base.agents, delta.agents, (agent) => agent.id),
    endpoints,
    vips: merged(base.vips, delta.vips, (vip) => vip.key),
    routes: merged(base.routes, delta.routes, (route) => route.id),
    listeners: merged(base.listeners, delta.listeners, (listener) => listener.id),
    certificates: merged(base.certificates, delta.certificates, ({ name }) => name),
    challenges: merged(base.challenges, delta.challenges, ({ key }) => key),
    serverSets: merged(base.serverSets, delta.serverSets, ({ key }) => key),
    byApp: delta.endpoints === undefined ? base.byApp : reindexed(base, endpoints, delta.endpoints),
  };
}

/** Whether an instance may be given something new: it is there and does not drain. */
export function takesPart({ endpoints }: Pick<Directory, 'endpoints'>, instance: InstanceId): boolean {
  const endpoint = endpoints.get(instance);
  return endpoint !== undefined && endpoint.draining === undefined;
}

/** The same for an agent of before, which would take an endpoint that drains for one that stays. */
export function withoutDraining({ endpoints, ...delta }: DirectoryDelta): DirectoryDelta {
  if (endpoints === undefined) return delta;
  const draining = endpoints.set.filter((endpoint) => endpoint.draining);
  const gone = delta.from === 0 ? [] : draining.map(({ instanceId }) => instanceId);
  const set = endpoints.set.filter((endpoint) => !endpoint.draining);
  return { ...delta, endpoints: { set, gone: [...endpoints.gone, ...gone] } };
}

/** Two deltas that follow each other as one; `second` begins where `first` ends. */
export function joinDeltas(first: DirectoryDelta, second: DirectoryDelta): DirectoryDelta {
  if (second.from === 0) return second;
  const agents = joinChanges(first.agents, second.agents, (agent) => agent.id);
  const endpoints = joinChanges(first.endpoints, second.endpoints, (endpoint) => endpoint.instanceId);
  const vips = joinChanges(first.vips, second.vips, (vip) => vip.key);
  const routes = joinChanges(first.routes, second.routes, (route) => route.id);
  const listeners = joinChanges(first.listeners, second.listeners, (listener) => listener.id);
  const certificates = joinChanges(first.certificates, second.certificates, ({ name }) => name);
  const challenges = joinChanges(first.challenges, second.challenges, ({ key }) => key);
  const serverSets = joinChanges(first.serverSets, second.serverSets, ({ key }) => key);
  return {
    from: first.from,
    revision: second.revision,
    ...(agents && { agents }),
    ...(endpoints && { endpoints }),
    ...(vips && { vips }),
    ...(routes && { routes }),
    ...(listeners && { listeners }),
    ...(certificates && { certificates }),
    ...(challenges && { challenges }),
    ...(serverSets && { serverSets }),
  };
}

/** The same for an edge that has not proved itself. */
export function withoutKeys({ certificates: _, challenges: __, ...delta }: DirectoryDelta): DirectoryDelta {
  return delta;
}

/** A delta without keys for an edge that has some: it goes on with them, whatever else is replaced. */
export function keepingKeys(delta: DirectoryDelta, { certificates, challenges }: Directory): DirectoryDelta {
  if (delta.from !== 0) return delta;
  return {
    ...delta,
    certificates: { set: [...certificates.values()], gone: [] },
    challenges: { set: [...challenges.values()], gone: [] },
  };
}

/** The same for a machine without an edge: private keys are none of its business, nor are places it does not open. */
export function withoutEdgeParts({
  certificates: _,
  listeners: __,
  challenges: ___,
  ...delta
}: DirectoryDelta): DirectoryDelta {
  return delta;
}

function joinChanges<T>(
  first: Changes<T> | undefined,
  second: Changes<T> | undefined,
  keyOf: (item: T) => string,
): Changes<T> | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const last = new Map<string, T | undefined>(first.gone.map((key) => [key, undefined]));
  for (const item of first.set) last.set(keyOf(item), item);
  for (const key of second.gone) last.set(key, undefined);
  for (const item of second.set) last.set(keyOf(item), item);
  const set = [...last.values()].filter((item) => item !== undefined);
  return { set, gone: [...last].filter(([, item]) => item === undefined).map(([key]) => key) };
}

/** The whole Directory as one delta, for a consumer that has nothing. */
export function snapshotDelta(directory: Directory): DirectoryDelta {
  return {
    from: 0,
    revision: directory.revision,
    ...(directory.store === undefined ? {} : { store: directory.store }),
    agents: { set: [...directory.agents.values()], gone: [] },
    endpoints: { set: [...directory.endpoints.values()], gone: [] },
    vips: { set: [...directory.vips.values()], gone: [] },
    routes: { set: [...directory.routes.values()], gone: [] },
    ...(directory.listeners.size > 0 && {
      listeners: { set: [...directory.listeners.values()], gone: [] },
    }),
    ...(directory.certificates.size > 0 && {
      certificates: { set: [...directory.certificates.values()], gone: [] },
    }),
    ...(directory.challenges.size > 0 && {
      challenges: { set: [...directory.challenges.values()], gone: [] },
    }),
    ...(directory.serverSets.size > 0 && {
      serverSets: { set: [...directory.serverSets.values()], gone: [] },
    }),
  };
}

/** What changed between two Directories; undefined when nothing but the revision did. Unchanged entries must be identical values. */
export function deltaBetween(before: Directory, after: Directory): DirectoryDelta | undefined {
  const agents = changesOf(before.agents, after.agents);
  const endpoints = changesOf(before.endpoints, after.endpoints);
  const vips = changesOf(before.vips, after.vips);
  const routes = changesOf(before.routes, after.routes);
  const listeners = changesOf(before.listeners, after.listeners);
  const certificates = changesOf(before.certificates, after.certificates);
  const challenges = changesOf(before.challenges, after.challenges);
  const serverSets = changesOf(before.serverSets, after.serverSets);
  const changes = {
    ...(agents && { agents }),
    ...(endpoints && { endpoints }),
    ...(vips && { vips }),
    ...(routes && { routes }),
    ...(listeners && { listeners }),
    ...(certificates && { certificates }),
    ...(challenges && { challenges }),
    ...(serverSets && { serverSets }),
  };
  if (Object.keys(changes).length === 0) return undefined;
  return { from: before.revision, revision: after.revision, ...changes };
}

/** The ready ports behind a service reference, in order of instance id. */
export function backendsOf(directory: Directory, services: readonly ServiceRef[]): readonly Backend[] {
  return services.flatMap((service) =>
    (directory.byApp.get(service.appId) ?? []).flatMap((endpoint) => {
      const port = endpoint.ready ? endpoint.ports.find((p) => p.index === service.portIndex) : undefined;
      return port === undefined
        ? []
        : [
            {
              instanceId: endpoint.instanceId,
              agentId: endpoint.agentId,
              address: port.address,
              port: port.port,
            },
          ];
    }),
  );
}

export type Backend = {
  readonly instanceId: InstanceId;
  readonly agentId: AgentId;
  readonly address: string;
  readonly port: number;
};

function merged<T>(
  base: ReadonlyMap<string, T>,
  changes: Changes<T> | undefined,
  keyOf: (item: T) => string,
): ReadonlyMap<string, T> {
  if (changes === undefined) return base;
  return changedMap(
    base,
    changes.gone,
    changes.set.map((item) => [keyOf(item), item] as const),
  );
}

function reindexed(
  base: Directory,
  endpoints: ReadonlyMap<InstanceId, Endpoint>,
  changes: Changes<Endpoint>,
): ReadonlyMap<AppId, readonly Endpoint[]> {
  const changed = new Set([...changes.gone, ...changes.set.map((endpoint) => endpoint.instanceId)]);
  const touched = new Set([...changed].flatMap((id) => base.endpoints.get(id)?.appId ?? []));
  const arrived = Map.groupBy(changes.set, (endpoint) => endpoint.appId);
  for (const app of arrived.keys()) touched.add(app);
  const gone: AppId[] = [];
  const set: [AppId, readonly Endpoint[]][] = [];
  for (const app of touched) {
    const kept = (base.byApp.get(app) ?? []).filter((endpoint) => !changed.has(endpoint.instanceId));
    const added = (arrived.get(app) ?? []).filter((endpoint) => endpoints.has(endpoint.instanceId));
    const group = [...kept, ...added].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
    if (group.length === 0) gone.push(app);
    else set.push([app, group]);
  }
  return changedMap(base.byApp, gone, set);
}

function changesOf<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): Changes<T> | undefined {
  if (before === after) return undefined;
  const set = [...after].filter(([key, item]) => before.get(key) !== item).map(([, item]) => item);
  const gone = [...before.keys()].filter((key) => !after.has(key));
  return set.length === 0 && gone.length === 0 ? undefined : { set, gone };
}
