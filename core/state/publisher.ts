import type { Part } from '../kit/part.ts';
import { type Directory, type DirectoryDelta, snapshotDelta } from '../model/directory.ts';
import type { InstanceId } from '../model/ids.ts';
import type { Database } from './database.ts';
import { Departures } from './departures.ts';
import { DirectoryBuilder, type DirectoryOptions } from './directory.ts';
import type { HostClaims } from './host-claims.ts';
import { defaultLabelSettings, type LabelSettings } from './label-settings.ts';
import type { ListenerClaims } from './listener-claims.ts';
import type { Write } from './store.ts';
import { storeId } from './store-id.ts';

/** Deltas kept for consumers that were away; beyond them they get a snapshot. */
const keptDeltas = 1_000;

/** Publishes the Directory: one snapshot, then a delta for each change. */
export class DirectoryPublisher implements Part {
  readonly #database: Database;
  readonly #builder: DirectoryBuilder;
  readonly #listeners = new Set<(delta: DirectoryDelta) => void>();
  readonly #departures = new Departures();
  #keeping = false;
  #deltas: DirectoryDelta[] = [];
  #end: () => void = () => {};

  /** Which labels of apps count. */
  readonly labels: LabelSettings;

  constructor(database: Database, options: DirectoryOptions = {}) {
    this.#database = database;
    this.labels = options.labels ?? defaultLabelSettings;
    this.#builder = new DirectoryBuilder(options);
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
    const store = await storeId(this.#database.store);
    this.#departures.begin(this.#builder.rebuild(this.#database.snapshot, store).revision);
    this.#end = this.#database.onChange((change) => {
      const delta = this.#builder.update(this.#database.snapshot, change);
      if (delta !== undefined) this.#publish(delta);
      this.#keepHosts();
    });
  }

  async stop(): Promise<void> {
    this.#end();
  }

  /** As `Departures.since`. */
  absentSince(instance: InstanceId): number | undefined {
    return this.#departures.since(instance, this.directory);
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
    this.#departures.note(delta);
    for (const listener of [...this.#listeners]) listener(delta);
  }
}
