import type { Part } from '../kit/part.ts';
import { type Directory, type DirectoryDelta, snapshotDelta } from '../model/directory.ts';
import type { InstanceId } from '../model/ids.ts';
import type { Database } from './database.ts';
import { DirectoryBuilder } from './directory.ts';
import type { HostClaims } from './host-claims.ts';
import { defaultLabelSettings, type LabelSettings } from './label-settings.ts';
import type { ListenerClaims } from './listener-claims.ts';
import type { Write } from './store.ts';
import { storeId } from './store-id.ts';

/** Deltas kept for consumers that were away; beyond them they get a snapshot. */
const keptDeltas = 1_000;
/** How long a departure is remembered, in departures. */
const keptDepartures = 200_000;

/** Publishes the Directory: one snapshot, then a delta for each change. */
export class DirectoryPublisher implements Part {
  readonly #database: Database;
  readonly #builder: DirectoryBuilder;
  readonly #listeners = new Set<(delta: DirectoryDelta) => void>();
  readonly #departures = new Map<InstanceId, number>();
  #keeping = false;
  #first = 0;
  #deltas: DirectoryDelta[] = [];
  #end: () => void = () => {};

  /** Which labels of apps count. */
  readonly labels: LabelSettings;

  /** `leader`: as in DirectoryBuilder. */
  constructor(database: Database, leader?: string, labels: LabelSettings = defaultLabelSettings) {
    this.#database = database;
    this.labels = labels;
    this.#builder = new DirectoryBuilder(leader, labels);
  }

  /** Which team has which host. */
  get hosts(): HostClaims {
    return this.#builder.hosts;
  }

  /** Which listener has which place. */
  get listeners(): ListenerClaims {
    return this.#builder.listeners;
  }

  get directory(): Directory {
    return this.#builder.directory;
  }

  async start(): Promise<void> {
    this.#end();
    this.#deltas = [];
    this.#departures.clear();
    const store = await storeId(this.#database.store);
    this.#first = this.#builder.rebuild(this.#database.snapshot, store).revision;
    this.#end = this.#database.onChange((change) => {
      const delta = this.#builder.update(this.#database.snapshot, change);
      if (delta !== undefined) this.#publish(delta);
      this.#keepHosts();
    });
  }

  async stop(): Promise<void> {
    this.#end();
  }

  /**
   * The first revision without this instance: a drain is over when every consumer has it in force.
   * An instance not in the Directory and not seen leaving was absent from the first revision on.
   */
  absentSince(instance: InstanceId): number | undefined {
    if (this.directory.endpoints.has(instance)) return undefined;
    return this.#departures.get(instance) ?? this.#first;
  }

  /** What a consumer that holds revision `since` needs now. `store`: of which store that is, '' unknown; absent: it is of ours. */
  catchUp(since: number, store?: string): readonly DirectoryDelta[] {
    if (store !== undefined && store !== (this.directory.store ?? '')) return [snapshotDelta(this.directory)];
    if (since === this.directory.revision) return [];
    const start = this.#deltas.findIndex((delta) => delta.from === since);
    return start === -1 ? [snapshotDelta(this.directory)] : this.#deltas.slice(start);
  }

  subscribe(listener: (delta: DirectoryDelta) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Who has a contested host is stored: the next leader could not know who was first. */
  #keepHosts(): void {
    const { contested } = this.#builder.hosts;
    const stored = this.#database.snapshot.table('hosts');
    if (this.#keeping || (contested.size === 0 && stored.size === 0)) return;
    const puts = [...contested].filter(([host, team]) => stored.get(host)?.team !== team);
    const gone = [...stored.keys()].filter((host) => !contested.has(host));
    const writes: readonly Write[] = [
      ...puts.map(
        ([host, team]) => ({ kind: 'put', table: 'hosts', key: host, value: { host, team } }) as const,
      ),
      ...gone.map((host) => ({ kind: 'delete', table: 'hosts', key: host }) as const),
    ];
    if (writes.length === 0) return;
    this.#keeping = true;
    const over = () => {
      this.#keeping = false;
    };
    // A store that fails now is asked again with the next change.
    this.#database.commit(writes).then(over, over);
  }

  #publish(delta: DirectoryDelta): void {
    this.#deltas.push(delta);
    if (this.#deltas.length > keptDeltas) this.#deltas = this.#deltas.slice(-keptDeltas / 2);
    this.#noteDepartures(delta);
    for (const listener of [...this.#listeners]) listener(delta);
  }

  #noteDepartures(delta: DirectoryDelta): void {
    for (const instance of delta.endpoints?.gone ?? []) this.#departures.set(instance, delta.revision);
    for (const endpoint of delta.endpoints?.set ?? []) this.#departures.delete(endpoint.instanceId);
    for (const oldest of this.#departures.keys()) {
      if (this.#departures.size <= keptDepartures) break;
      this.#departures.delete(oldest);
    }
  }
}
