import { errorText } from '../kit/errors.ts';
import type { Log } from '../kit/log.ts';
import type { Part } from '../kit/part.ts';
import { Replica, type Snapshot } from './snapshot.ts';
import type { Change, CommitResult, Store, Write } from './store.ts';

/**
 * The store and its copy in memory. A commit resolves only when the copy has it, so that whoever wrote
 * reads his own write. Listeners hear every change in order, after the copy has it.
 */
export class Database implements Part {
  readonly #store: Store;
  readonly #log: Log;
  readonly #replica = new Replica();
  readonly #listeners = new Set<(change: Change) => void>();
  #arrivals: { readonly revision: number; readonly resolve: () => void }[] = [];
  #stopping = new AbortController();
  #following: Promise<void> | undefined;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  get snapshot(): Snapshot {
    return this.#replica;
  }

  get store(): Store {
    return this.#store;
  }

  async start(): Promise<void> {
    await this.#store.open();
    const { revision, records } = await this.#store.list();
    this.#replica.load(revision, records);
    this.#stopping = new AbortController();
    this.#following = this.#follow(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#following;
    await this.#store.close();
  }

  /** Returns the function that ends the subscription. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async commit(writes: readonly Write[]): Promise<CommitResult> {
    const result = await this.#store.commit(writes);
    if (result.kind === 'committed') await this.#arrived(result.revision);
    return result;
  }

  #arrived(revision: number): Promise<void> {
    if (this.#replica.revision >= revision) return Promise.resolve();
    return new Promise((resolve) => this.#arrivals.push({ revision, resolve }));
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const change of this.#store.watch(this.#replica.revision, signal)) this.#take(change);
      } catch (error) {
        if (!signal.aborted) this.#log.error('store watch broke, resuming', { error: errorText(error) });
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  #take(change: Change): void {
    this.#replica.apply(change);
    for (const listener of [...this.#listeners]) listener(change);
    const arrived = this.#arrivals.filter((waiting) => waiting.revision <= change.revision);
    this.#arrivals = this.#arrivals.filter((waiting) => waiting.revision > change.revision);
    for (const waiting of arrived) waiting.resolve();
  }
}
