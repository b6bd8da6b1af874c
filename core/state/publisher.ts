import type { Part } from '../kit/part.ts';
import { type Directory, type DirectoryDelta, snapshotDelta } from '../model/directory.ts';
import type { InstanceId } from '../model/ids.ts';
import type { Database } from './database.ts';
import { DirectoryBuilder } from './directory.ts';

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
  #first = 0;
  #deltas: DirectoryDelta[] = [];
  #end: () => void = () => {};

  /** `leader`: as in DirectoryBuilder. */
  constructor(database: Database, leader?: string) {
    this.#database = database;
    this.#builder = new DirectoryBuilder(leader);
  }

  get directory(): Directory {
    return this.#builder.directory;
  }

  async start(): Promise<void> {
    this.#end();
    this.#deltas = [];
    this.#departures.clear();
    this.#first = this.#builder.rebuild(this.#database.snapshot).revision;
    this.#end = this.#database.onChange((change) => {
      const delta = this.#builder.update(this.#database.snapshot, change);
      if (delta !== undefined) this.#publish(delta);
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

  /** What a consumer that holds revision `since` needs now; undefined when it is up to date. */
  catchUp(since: number): readonly DirectoryDelta[] {
    if (since === this.directory.revision) return [];
    const start = this.#deltas.findIndex((delta) => delta.from === since);
    return start === -1 ? [snapshotDelta(this.directory)] : this.#deltas.slice(start);
  }

  subscribe(listener: (delta: DirectoryDelta) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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
