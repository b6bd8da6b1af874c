import type { DirectoryAgent, DirectoryDelta, Endpoint, Vip } from '../core/model/directory.ts';
import type { AgentId, AppId } from '../core/model/ids.ts';
import { snapshotChanges } from './differences.ts';
import { HeldEndpoints } from './held-endpoints.ts';
import type { ZoneOptions } from './options.ts';
import { FixedSource, type Given } from './record-source.ts';
import { parentOf, RecordStore } from './record-store.ts';
import { movesOf } from './records/moves.ts';
import { recordsOfAgent, recordsOfMasters } from './records/of-agents.ts';
import { type OwnZone, ownZones, recordsOfZones, recordsWhenReady, soaOfZone } from './records/of-zones.ts';
import { VipIndex } from './vip-index.ts';
import type { Name, SoaRecord } from './wire/types.ts';

/**
 * Everything our zones answer with, made from a Directory. A delta costs what it changes: each endpoint, VIP and agent
 * is a source of records, so only those of the changed ones are written again.
 */
export class Zone {
  readonly options: ZoneOptions;
  readonly store: RecordStore;
  readonly #agents = new Map<AgentId, HeldAgent>();
  readonly #endpoints: HeldEndpoints;
  readonly #vips: VipIndex;
  readonly #masters = new FixedSource('masters');
  readonly #readiness = new FixedSource('ready');
  readonly #own: ReadonlyMap<Name, OwnZone>;
  #revision = 0;
  /** A change was begun and not ended: it failed. */
  #halfDone = false;

  /** `onChange` is told every name whose answers may have changed. */
  constructor(options: ZoneOptions, onChange?: (name: Name) => void) {
    this.options = options;
    this.store = new RecordStore(onChange);
    const zones = ownZones(options);
    this.#own = new Map(zones.map((zone) => [zone.apex, zone]));
    this.#vips = new VipIndex(options);
    this.#endpoints = new HeldEndpoints({
      options,
      vipsOf: (app, port) => this.#vips.ofService(app, port),
    });
    this.store.update(new FixedSource('zones').give(recordsOfZones(zones, options)));
  }

  /** The Directory revision in force. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether there is any Directory to answer from. */
  get ready(): boolean {
    return this.#readiness.given.length > 0;
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
    this.#halfDone = true;
    yield* this.#applyVips(vips);
    for (const endpoint of endpoints?.set ?? []) {
      this.#change(endpoint);
      yield;
    }
    yield* this.#applyAgents(agents);
    yield* this.#dropEndpoints(endpoints);
    this.#halfDone = false;
    if (!this.ready) this.store.update(this.#readiness.give(recordsWhenReady(this.options)));
    this.#revision = delta.revision;
  }

  /** The zone a name belongs to: the longest of ours, or, for a name of a record outside them all, the name itself. */
  apexOf(name: Name): Name | undefined {
    for (let at = name; at !== ''; at = parentOf(at)) if (this.#own.has(at)) return at;
    return this.store.hasRecords(name) ? name : undefined;
  }

  /** `negative`: as it goes with "no such name" and "no such type" (RFC 2308 §3, §5). */
  soaOf(apex: Name, use: 'answer' | 'negative'): SoaRecord {
    const { options } = this;
    const zone = this.#own.get(apex) ?? { apex, dcos: false };
    const soa = soaOfZone(zone, { options, ttl: options.ttl, revision: this.#revision });
    return use === 'negative' ? { ...soa, ttl: Math.min(soa.ttl, soa.minimum) } : soa;
  }

  vip(key: string): Vip | undefined {
    return this.#vips.get(key);
  }

  get vips(): Iterable<Vip> {
    return this.#vips.all();
  }

  get agents(): readonly DirectoryAgent[] {
    return [...this.#agents.values()].map(({ agent }) => agent);
  }

  get endpointCount(): number {
    return this.#endpoints.count;
  }

  endpointsOf(appId: AppId): readonly Endpoint[] {
    return this.#endpoints.ofApp(appId).map(({ endpoint }) => endpoint);
  }

  /** Who has an address of its own in a container network, ready or not. */
  endpointAt(address: string): Endpoint | undefined {
    return this.#endpoints.at(address)?.endpoint;
  }

  /** Who has records at a name, or would have if it were ready; by id. */
  endpointsAt(only: Name): readonly Endpoint[] {
    return [...this.#endpoints.all()]
      .filter((held) => held.recordsIfReady({ only }).length > 0)
      .map(({ endpoint }) => endpoint)
      .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  }

  /** The ready endpoints of one of the `parts` in which a list is made, with their records. */
  *listed(part: number): Iterable<{ readonly endpoint: Endpoint; readonly records: readonly Given[] }> {
    for (const held of this.#endpoints.ofPart(part)) {
      const { endpoint } = held;
      if (endpoint.ready) yield { endpoint, records: held.known ?? held.write() };
    }
  }

  /** What a snapshot changes: mostly little, when an agent was away for a moment. */
  #differences(delta: DirectoryDelta) {
    const [agents, endpoints, vips] = [this.#agents, this.#endpoints, this.#vips];
    const sure = <T>(held: T): T | undefined => (this.#halfDone ? undefined : held);
    return snapshotChanges(delta, {
      agents: { keys: () => agents.keys(), held: (id) => sure(agents.get(id)?.agent) },
      endpoints: { keys: () => endpoints.ids(), held: (id) => sure(endpoints.get(id)?.endpoint) },
      vips: { keys: () => vips.keys(), held: (key) => sure(vips.get(key)) },
    });
  }

  *#applyVips(changes: DirectoryDelta['vips']): Generator<void, void> {
    if (changes === undefined) return;
    const touched = new Set<AppId>();
    const touch = (vip: Vip | undefined) => {
      for (const { appId } of vip?.services ?? []) touched.add(appId);
    };
    for (const vip of changes.set) {
      touch(this.#vips.get(vip.key));
      touch(vip);
      this.store.update(this.#vips.put(vip));
      yield;
    }
    for (const key of onlyGone(changes, ({ key }) => key)) {
      touch(this.#vips.get(key));
      const held = this.#vips.delete(key);
      if (held !== undefined) this.store.remove(held);
      yield;
    }
    yield* this.#rewrite(touched);
  }

  /** Endpoints behind a VIP name its port in their own records. */
  *#rewrite(apps: Iterable<AppId>): Generator<void, void> {
    for (const app of apps) {
      for (const held of this.#endpoints.ofApp(app)) {
        this.store.update(held);
        yield;
      }
    }
  }

  *#dropEndpoints(changes: DirectoryDelta['endpoints']): Generator<void, void> {
    for (const id of onlyGone(changes, ({ instanceId }) => instanceId)) {
      const held = this.#endpoints.delete(id);
      if (held !== undefined) this.store.remove(held);
      yield;
    }
  }

  /** Mostly only an address is another, and of an endpoint that nobody has asked for. */
  #change(endpoint: Endpoint): void {
    const before = this.#endpoints.get(endpoint.instanceId)?.endpoint;
    const held = this.#endpoints.put(endpoint);
    try {
      const quick = before !== undefined && held.known === undefined;
      const moves = quick ? movesOf(before, endpoint) : undefined;
      if (moves === undefined) this.store.update(held);
      else for (const { from, to } of moves) this.store.move(held, from, to);
    } catch (error) {
      // of what cannot be written there are the records of before: whoever writes it again must find that
      if (before === undefined) this.#endpoints.delete(endpoint.instanceId);
      else this.#endpoints.put(before);
      throw error;
    }
  }

  *#applyAgents(changes: DirectoryDelta['agents']): Generator<void, void> {
    if (changes === undefined) return;
    for (const id of changes.gone) {
      const held = this.#agents.get(id);
      this.#agents.delete(id);
      if (held !== undefined) this.store.remove(held.source);
      yield;
    }
    for (const agent of changes.set) {
      const source = this.#agents.get(agent.id)?.source ?? new FixedSource('agent', agent.id);
      this.#agents.set(agent.id, { agent, source });
      this.store.update(source.give(recordsOfAgent(agent, this.options, source.given)));
      yield;
    }
    const masters = this.agents.filter((agent) => agent.master);
    masters.sort((a, b) => (a.id < b.id ? -1 : 1));
    const { given } = this.#masters;
    this.store.update(this.#masters.give(recordsOfMasters(masters, this.options, given)));
  }
}

type HeldAgent = { readonly agent: DirectoryAgent; readonly source: FixedSource };

type Changes<T> = { readonly set: readonly T[]; readonly gone: readonly string[] };

/** What goes and comes in one delta has only changed. */
function onlyGone<T>(changes: Changes<T> | undefined, keyOf: (item: T) => string): readonly string[] {
  const { set, gone } = changes ?? { set: [], gone: [] };
  if (gone.length === 0) return gone;
  const kept = new Set(set.map(keyOf));
  return gone.filter((key) => !kept.has(key));
}
