import type { DirectoryAgent, DirectoryDelta, Endpoint, Vip } from '../core/model/directory.ts';
import type { AgentId, AppId, InstanceId } from '../core/model/ids.ts';
import type { ZoneOptions } from './options.ts';
import { parentOf, RecordStore } from './record-store.ts';
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
  readonly #context: EndpointContext;
  #revision = 0;

  /** `onChange` is told every name whose answers may have changed. */
  constructor(options: ZoneOptions, onChange?: (name: Name) => void) {
    this.options = options;
    this.store = new RecordStore(onChange);
    const zones = ownZones(options);
    this.#own = new Map(zones.map((zone) => [zone.apex, zone]));
    this.#context = { options, vipsOf: (app, port) => this.#vips.ofService(app, port) };
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

  /** Puts a delta in force. One with `from: 0` needs a new Zone: see `zoneAfter`. */
  apply(delta: DirectoryDelta): void {
    for (const _ of this.steps(delta));
  }

  /** As `apply`, in small steps. Between them the zone is of no revision: nobody may ask it. */
  *steps(delta: DirectoryDelta): Generator<void, void> {
    const rewrite = new Set<InstanceId>();
    yield* this.#applyVips(delta.vips, rewrite);
    yield* this.#applyEndpoints(delta.endpoints, rewrite);
    this.#applyAgents(delta.agents);
    for (const id of rewrite) {
      this.#writeEndpoint(id);
      yield;
    }
    if (!this.ready) this.store.replace('ready', recordsWhenReady(this.options));
    this.#revision = delta.revision;
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
    for (const key of changes?.gone ?? []) {
      this.#touchVip(key, undefined, rewrite);
      yield;
    }
    for (const vip of changes?.set ?? []) {
      this.#touchVip(vip.key, vip, rewrite);
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

  *#applyEndpoints(changes: DirectoryDelta['endpoints'], rewrite: Set<InstanceId>): Generator<void, void> {
    for (const id of changes?.gone ?? []) {
      this.#forget(id);
      rewrite.add(id);
      yield;
    }
    for (const endpoint of changes?.set ?? []) {
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

  #writeEndpoint(id: InstanceId): void {
    const endpoint = this.endpoints.get(id);
    const records = endpoint === undefined ? [] : recordsOfEndpoint(endpoint, this.#context);
    this.store.replace(`endpoint:${id}`, records);
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

/**
 * The zone with a delta in force: the same one changed, or a new one (which tells `onChange`) when the delta is a whole
 * snapshot.
 */
export function zoneAfter(zone: Zone, delta: DirectoryDelta, onChange?: (name: Name) => void): Zone {
  const next = delta.from === 0 ? new Zone(zone.options, onChange) : zone;
  next.apply(delta);
  return next;
}
