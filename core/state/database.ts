import { type Clock, systemClock } from '../kit/clock.ts';
import { errorText } from '../kit/errors.ts';
import type { Log } from '../kit/log.ts';
import type { Part } from '../kit/part.ts';
import { Replica, type Snapshot } from './snapshot.ts';
import type { Change, CommitResult, Fence, Store, StoredRecord, Write } from './store.ts';
import { knownTables } from './tables.ts';

/** Pause before a broken watch is taken up again. */
const resumeMs = 200;
/** What else the process has to do waits no longer than this, and the change under way, for changes that came together. */
const turnMs = 5;

/**
 * The store and its copy in memory. A commit resolves only when the copy has it, so that whoever wrote
 * reads his own write. Listeners hear every change in order, after the copy has it.
 */
export class Database implements Part {
  readonly #store: Store;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #replica = new Replica();
  readonly #listeners = new Set<(change: Change) => void>();
  #arrivals: { readonly revision: number; readonly resolve: () => void }[] = [];
  #stopping = new AbortController();
  #fence: Fence | undefined;
  #following: Promise<void> | undefined;

  constructor(store: Store, log: Log, clock: Clock = systemClock) {
    this.#store = store;
    this.#log = log;
    this.#clock = clock;
  }

  get snapshot(): Snapshot {
    return this.#replica;
  }

  get store(): Store {
    return this.#store;
  }

  async start(): Promise<void> {
    if (this.#following !== undefined) return;
    await this.#store.open();
    const { revision, records } = await this.#store.list();
    this.#replica.load(revision, records);
    this.#stopping = new AbortController();
    this.#following = this.#follow(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    if (this.#following === undefined) return;
    this.#stopping.abort();
    await this.#following;
    this.#following = undefined;
    // What was committed is durable; nobody is left waiting for a copy that follows no more.
    this.#settle(Number.POSITIVE_INFINITY);
    await this.#store.close();
  }

  /** Returns the function that ends the subscription. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on nothing is written any more once another holds the lock. */
  fencedBy(fence: Fence): void {
    this.#fence = fence;
  }

  async commit(writes: readonly Write[]): Promise<CommitResult> {
    const result = await this.#store.commit(writes, this.#fence);
    if (result.kind === 'committed') await this.reached(result.revision);
    return result;
  }

  /** Resolves when the copy is of this revision of the store, or a later one. */
  reached(revision: number): Promise<void> {
    if (this.#following === undefined || this.#replica.revision >= revision) return Promise.resolve();
    return new Promise((resolve) => this.#arrivals.push({ revision, resolve }));
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        let turn = this.#clock.now();
        for await (const change of this.#store.watch(this.#replica.revision, signal)) {
          this.#take(change);
          if (this.#clock.now() < turn + turnMs) continue;
          await new Promise(setImmediate);
          turn = this.#clock.now();
        }
      } catch (error) {
        if (!signal.aborted) this.#log.error('store watch broke, resuming', { error: errorText(error) });
      }
      if (signal.aborted) return;
      await this.#clock.sleep(resumeMs, signal).catch(() => {});
      await this.#catchUp(signal);
    }
  }

  /** A watch may have broken because the store no longer has the changes in between: the whole list makes up for them. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      const { revision, records } = await this.#store.list();
      if (revision > this.#replica.revision) this.#take(differenceTo(this.#replica, revision, records));
    } catch (error) {
      this.#log.warn('store does not answer', { error: errorText(error) });
    }
  }

  #take(change: Change): void {
    this.#replica.apply(change);
    for (const listener of [...this.#listeners]) this.#tell(listener, change);
    this.#settle(change.revision);
  }

  /** One listener's fault keeps no other from hearing. */
  #tell(listener: (change: Change) => void, change: Change): void {
    try {
      listener(change);
    } catch (error) {
      this.#log.error('a listener of changes failed', { error: errorText(error) });
    }
  }

  #settle(revision: number): void {
    const arrived = this.#arrivals.filter((waiting) => waiting.revision <= revision);
    this.#arrivals = this.#arrivals.filter((waiting) => waiting.revision > revision);
    for (const waiting of arrived) waiting.resolve();
  }
}

/** The change that turns the copy into the list. */
function differenceTo(copy: Replica, revision: number, records: readonly StoredRecord[]): Change {
  const listed = new Set(records.map(({ table, key }) => `${table}\n${key}`));
  const gone = knownTables.flatMap((table) =>
    [...copy.table(table).keys()]
      .filter((key) => !listed.has(`${table}\n${key}`))
      .map((key) => ({ table, key })),
  );
  return {
    revision,
    records: [
      ...records.map(({ table, key, value }) => ({ table, key, value })),
      ...gone.map(({ table, key }) => ({ table, key, value: undefined })),
    ],
  };
}
