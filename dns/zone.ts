import { isDeepStrictEqual } from 'node:util';
import type { DirectoryAgent, DirectoryDelta, Endpoint, Vip } from '../core/model/directory.ts';
import type { AgentId, AppId, InstanceId } from '../core/model/ids.ts';
import type { ZoneOptions } from './options.ts';
import { parentOf, RecordStore } from './record-store.ts';
import { type AppNames, appNames, type EndpointNames, endpointNames } from './records/names.ts';
import { recordsOfAgent, recordsOfMasters } from './records/of-agents.ts';
import { type EndpointContext, recordsOfEndpoint } from './records/of-endpoint.ts';
import { recordsOfVip } from './records/of-vip.ts';
import { type OwnZone, ownZones, recordsOfZones, recordsWhenReady, soaOfZone } from './records/of-zones.ts';
import { VipIndex } from './vip-index.ts';
import type { Name, SoaRecord } from './wire/types.ts';

/**
 * Everything our zones answer with, made from a Directory. A delta costs what it changes: each endpoint, VIP and agent
 * owns its records, so only those of the changed ones are written again.
 */
export class Zone {
  readonly options: ZoneOptions;
  readonly store: RecordStore;
  readonly endpoints = new Map<InstanceId, Endpoint>();
  readonly agents = new Map<AgentId, DirectoryAgent>();
  readonly #own: ReadonlyMap<Name, OwnZone>;
  readonly #vips = new VipIndex();
  readonly #byAddress = new Map<string, Endpoint>();
  readonly #byApp = new Map<AppId, Set<InstanceId>>();
  readonly #names = new Map<AppId, AppNames>();
  readonly #named = new Map<InstanceId, Named>();
  readonly #context: EndpointContext;
  #revision = 0;
  /** A change was begun and not ended: it failed. */
  #halfDone = false;

  /** `onChange` is told every name whose answers may have changed. */
  constructor(options: ZoneOptions, onChange?: (name: Name) => void) {
    this.options = options;
    this.store = new RecordStore(onChange);
    const zones = ownZones(options);
    this.#own = new Map(zones.map((zone) => [zone.apex, zone]));
    this.#context = {
      options,
      vipsOf: (app, port) => this.#vips.ofService(app, port),
      namesOf: (endpoint) => this.#namesOf(endpoint),
    };
    this.store.replace('zones', recordsOfZones(zones, options));
  }

  /** The Directory revision in force. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether there is any Directory to answer from. */
  get ready(): boolean {
    return this.store.given('ready').length > 0;
  }

  /** Puts a delta in force; one with `from: 0` replaces everything. */
  apply(delta: DirectoryDelta): void {
    for (const _ of this.steps(delta));
  }

  /**
   * As `apply`, in small steps. Between them every name is as it was or as it will be, and one that stays is never without
   * records: what comes is written before what goes is taken away.
   */
  *steps(delta: DirectoryDelta): Generator<void, void> {
    const { agents, endpoints, vips } = delta.from === 0 ? yield* this.#differences(delta) : delta;
    const gone = onlyGone(endpoints);
    this.#halfDone = true;
    const rewrite = new Set<InstanceId>();
    yield* this.#applyVips(vips, rewrite);
    yield* this.#applyEndpoints(endpoints?.set ?? [], rewrite);
    for (const id of gone) {
      const app = this.endpoints.get(id)?.appId;
      this.#forget(id);
      rewrite.delete(id);
      this.#named.delete(id);
      if (app !== undefined && !this.#byApp.has(app)) this.#names.delete(app);
    }
    this.#applyAgents(agents);
    for (const id of rewrite) {
      this.#writeEndpoint(id);
      yield;
    }
    for (const id of gone) {
      this.#writeEndpoint(id);
      yield;
    }
    this.#halfDone = false;
    if (!this.ready) this.store.replace('ready', recordsWhenReady(this.options));
    this.#revision = delta.revision;
  }

  /** What a snapshot changes: mostly little, when an agent was away for a moment. */
  *#differences({ agents, endpoints, vips }: DirectoryDelta): Generator<void, Changed> {
    const doubt = this.#halfDone;
    return {
      agents: yield* differences(agents?.set, { held: this.agents, keyOf: (agent) => agent.id, doubt }),
      endpoints: yield* differences(endpoints?.set, {
        held: this.endpoints,
        keyOf: (one) => one.instanceId,
        doubt,
      }),
      vips: yield* differences(vips?.set, { held: this.#vips.all, keyOf: (vip) => vip.key, doubt }),
    };
  }

  /** The zone a name belongs to: the longest of ours, or, for a name of a record outside them all, the name itself. */
  apexOf(name: Name): Name | undefined {
    for (let at = name; at !== ''; at = parentOf(at)) if (this.#own.has(at)) return at;
    return this.store.sets(name).length > 0 ? name : undefined;
  }

  /** `negative`: as it goes with "no such name" and "no such type" (RFC 2308 §3, §5). */
  soaOf(apex: Name, use: 'answer' | 'negative'): SoaRecord {
    const { options } = this;
    const ttl = use === 'negative' ? Math.min(options.ttl, options.negativeTtl) : options.ttl;
    const zone = this.#own.get(apex) ?? { apex, dcos: false };
    return soaOfZone(zone, { options, ttl, revision: this.#revision });
  }

  vip(key: string): Vip | undefined {
    return this.#vips.get(key);
  }

  get vips(): Iterable<Vip> {
    return this.#vips.all.values();
  }

  endpointsOf(appId: AppId): readonly Endpoint[] {
    return [...(this.#byApp.get(appId) ?? [])].flatMap((id) => this.endpoints.get(id) ?? []);
  }

  /** Who has an address of its own in a container network, ready or not. */
  endpointAt(address: string): Endpoint | undefined {
    return this.#byAddress.get(address);
  }

  /** The records an endpoint would have if it were ready. */
  recordsIfReady(endpoint: Endpoint): ReturnType<typeof recordsOfEndpoint> {
    return recordsOfEndpoint({ ...endpoint, ready: true }, this.#context);
  }

  *#applyVips(changes: DirectoryDelta['vips'], rewrite: Set<InstanceId>): Generator<void, void> {
    for (const vip of changes?.set ?? []) {
      this.#touchVip(vip.key, vip, rewrite);
      yield;
    }
    const set = new Set(changes?.set.map((vip) => vip.key));
    for (const key of changes?.gone ?? []) {
      if (!set.has(key)) this.#touchVip(key, undefined, rewrite);
      yield;
    }
  }

  /** Endpoints behind a VIP name its port in their own records, so they are written again. */
  #touchVip(key: string, vip: Vip | undefined, rewrite: Set<InstanceId>): void {
    const before = this.#vips.replace(key, vip);
    for (const { appId } of [...(before?.services ?? []), ...(vip?.services ?? [])]) {
      for (const id of this.#byApp.get(appId) ?? []) rewrite.add(id);
    }
    this.store.replace(`vip:${key}`, vip === undefined ? [] : recordsOfVip(vip, this.options));
  }

  *#applyEndpoints(endpoints: readonly Endpoint[], rewrite: Set<InstanceId>): Generator<void, void> {
    for (const endpoint of endpoints) {
      this.#forget(endpoint.instanceId);
      this.endpoints.set(endpoint.instanceId, endpoint);
      for (const { ip } of endpoint.addresses) this.#byAddress.set(ip, endpoint);
      const group = this.#byApp.get(endpoint.appId) ?? new Set();
      this.#byApp.set(endpoint.appId, group.add(endpoint.instanceId));
      rewrite.add(endpoint.instanceId);
      yield;
    }
  }

  #forget(id: InstanceId): void {
    const endpoint = this.endpoints.get(id);
    if (endpoint === undefined) return;
    this.endpoints.delete(id);
    for (const { ip } of endpoint.addresses)
      if (this.#byAddress.get(ip) === endpoint) this.#byAddress.delete(ip);
    const group = this.#byApp.get(endpoint.appId);
    group?.delete(id);
    if (group?.size === 0) this.#byApp.delete(endpoint.appId);
  }

  #namesOf(endpoint: Endpoint): EndpointNames {
    const { instanceId, taskId, agentId, appId } = endpoint;
    const known = this.#named.get(instanceId);
    if (known?.taskId === taskId && known.agentId === agentId && known.appId === appId) return known.names;
    const names = endpointNames(endpoint, this.#namesOfApp(appId), this.options);
    this.#named.set(instanceId, { taskId, agentId, appId, names });
    return names;
  }

  #namesOfApp(appId: AppId): AppNames {
    const known = this.#names.get(appId) ?? appNames(appId, this.options);
    this.#names.set(appId, known);
    return known;
  }

  #writeEndpoint(id: InstanceId): void {
    const endpoint = this.endpoints.get(id);
    const source = `endpoint:${id}`;
    const records =
      endpoint === undefined ? [] : recordsOfEndpoint(endpoint, this.#context, this.store.given(source));
    this.store.replace(source, records);
  }

  #applyAgents(changes: DirectoryDelta['agents']): void {
    if (changes === undefined) return;
    for (const id of changes.gone) {
      this.agents.delete(id);
      this.store.replace(`agent:${id}`, []);
    }
    for (const agent of changes.set) {
      this.agents.set(agent.id, agent);
      this.store.replace(`agent:${agent.id}`, recordsOfAgent(agent, this.options));
    }
    const masters = [...this.agents.values()].filter((agent) => agent.master);
    masters.sort((a, b) => (a.id < b.id ? -1 : 1));
    this.store.replace('masters', recordsOfMasters(masters, this.options));
  }
}

/** The names of an endpoint, and what they were made of. */
type Named = Pick<Endpoint, 'taskId' | 'agentId' | 'appId'> & { readonly names: EndpointNames };

type Changed = Pick<DirectoryDelta, 'agents' | 'endpoints' | 'vips'>;

type Held<T> = {
  readonly held: ReadonlyMap<string, T>;
  readonly keyOf: (item: T) => string;
  /** What is held may not be what the records say. */
  readonly doubt: boolean;
};

function* differences<T>(
  wanted: readonly T[] = [],
  { held, keyOf, doubt }: Held<T>,
): Generator<void, { set: readonly T[]; gone: readonly string[] }> {
  const set: T[] = [];
  const keys = new Set<string>();
  for (const item of wanted) {
    const key = keyOf(item);
    keys.add(key);
    if (doubt || !isDeepStrictEqual(held.get(key), item)) set.push(item);
    yield;
  }
  return { set, gone: [...held.keys()].filter((key) => !keys.has(key)) };
}

/** What goes and comes in one delta has only changed. */
function onlyGone(changes: DirectoryDelta['endpoints']): readonly InstanceId[] {
  const set = new Set(changes?.set.map((endpoint) => endpoint.instanceId));
  return (changes?.gone ?? []).filter((id) => !set.has(id));
}
