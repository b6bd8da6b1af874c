import type { Clock } from '../../kit/clock.ts';
import type { Change, CommitResult, Fence, Lock, Store, StoredRecord, TableName, Write } from '../store.ts';
import { ConsulKv, type KvWrite } from './consul-kv.ts';
import { ConsulLog, type Replica } from './consul-log.ts';
import { holdLease } from './lease.ts';
import { changeOf } from './records.ts';
import { RemoteFaults } from './remote-faults.ts';

export type ConsulOptions = {
  /** `http://host:port` or `https://…`; an ACL token as the password. */
  readonly url: string;
  readonly clock: Clock;
  /** Begins every key. Default `weir`. */
  readonly prefix?: string;
  /** ms; Consul takes no less than its default of 10 000. */
  readonly leaseMs?: number;
  /** Commits between two snapshots. Default 2 000. */
  readonly compactAfter?: number;
};

/** A Store shared by several masters, linearizable: a log in Consul, of which each master keeps a replica in memory. */
export class ConsulStore implements Store {
  readonly #options: ConsulOptions;
  readonly #faults: RemoteFaults;
  readonly #kv: ConsulKv;
  readonly #log: ConsulLog;
  readonly #closing = new AbortController();
  readonly #sessions = new Set<string>();
  /** The session that each lock was last got with. */
  readonly #holding = new Map<string, string>();
  #replica: Replica | undefined;
  /** The replica is read and changed by one at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ConsulOptions) {
    this.#options = options;
    this.#faults = new RemoteFaults(options.url);
    this.#kv = new ConsulKv(options.url);
    this.#log = new ConsulLog(this.#kv, this.#prefix);
  }

  async open(): Promise<void> {
    await this.#faults.attempt(async () => {
      await this.#log.prepare();
      await this.#synced();
    });
  }

  list() {
    return this.#faults.attempt(async () => {
      const { head, records } = await this.#synced();
      return { revision: head.revision, records: records.all() };
    });
  }

  get(table: TableName, key: string): Promise<StoredRecord | undefined> {
    return this.#faults.attempt(async () => (await this.#synced()).records.get(table, key));
  }

  async commit(writes: readonly Write[], fence?: Fence): Promise<CommitResult> {
    const guards = fence === undefined ? [] : [this.#guard(fence)];
    const result = await this.#faults.attempt(() => this.#inTurn(() => this.#commit(writes, guards)));
    this.#compactWhenDue();
    return result;
  }

  async *watch(revision: number, signal: AbortSignal): AsyncGenerator<Change> {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    let last = revision;
    while (!ended.aborted) {
      const changes = await this.#next(last, ended);
      for (const change of changes) {
        if (ended.aborted) return;
        last = change.revision;
        yield change;
      }
    }
  }

  async lock(name: string, owner: string, signal: AbortSignal): Promise<Lock> {
    const ttlMs = this.#options.leaseMs ?? 10_000;
    const waiting = AbortSignal.any([signal, this.#closing.signal]);
    waiting.throwIfAborted();
    const session = await this.#faults.attempt(() =>
      this.#kv.startSession(`${this.#prefix} ${owner}`, ttlMs),
    );
    this.#sessions.add(session);
    const key = this.#lockKey(name);
    try {
      const timing = { clock: this.#options.clock, ttlMs, retryMs: Math.min(250, ttlMs / 10) };
      const lock = await holdLease(this.#lease(key, owner, session), timing, waiting);
      this.#holding.set(name, session);
      return lock;
    } catch (error) {
      await this.#endSession(session).catch(() => {});
      throw error;
    }
  }

  /** Locks that are still held go to the next at once. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#sessions].map((session) => this.#endSession(session).catch(() => {})));
    this.#kv.close();
  }

  /** The changes after `last` as soon as there are any; none when the wait was long or `ended` aborts. */
  async #next(last: number, ended: AbortSignal): Promise<readonly Change[]> {
    try {
      const { history, index } = await this.#synced();
      const changes = history.since(last);
      if (changes === undefined) throw this.#faults.notKept(last);
      if (changes.length === 0) await this.#kv.changed(this.#log.headKey, index, ended);
      return changes;
    } catch (error) {
      if (ended.aborted) return [];
      throw this.#faults.unavailable(error);
    }
  }

  /** A lost race with another process means: look again, decide again. */
  async #commit(writes: readonly Write[], guards: readonly KvWrite[]): Promise<CommitResult> {
    if (writes.length === 0) return { kind: 'committed', revision: (await this.#update()).head.revision };
    let replica = this.#replica ?? (await this.#update());
    for (;;) {
      const lost = replica.records.lostBy(writes);
      if (lost === undefined) {
        const change = changeOf(writes, replica.head.revision + 1);
        const appended = await this.#log.append(replica, change, guards);
        if (appended !== undefined) {
          this.#replica = appended;
          return { kind: 'committed', revision: change.revision };
        }
      }
      const seen = replica.index;
      replica = await this.#update();
      // Nobody else was first: then it is the lock that is not held any more.
      if (lost === undefined && replica.index === seen) throw this.#faults.fenced();
      // Only what is lost against the newest state is lost.
      if (lost !== undefined && replica.index === seen)
        return { kind: 'conflict', table: lost.table, key: lost.key };
    }
  }

  #guard({ lock }: Fence): KvWrite {
    const session = this.#holding.get(lock);
    if (session === undefined) throw this.#faults.fenced();
    return { kind: 'held', key: this.#lockKey(lock), session };
  }

  #lockKey(name: string): string {
    return `${this.#prefix}/lock/${name}`;
  }

  /** Not awaited by the commit that made it due; if it fails, the next commit asks again. */
  #compactWhenDue(): void {
    const head = this.#replica?.head;
    if (head === undefined || head.revision - head.base < (this.#options.compactAfter ?? 2_000)) return;
    const compacted = this.#inTurn(async () => {
      const replica = await this.#update();
      if (replica.head.base === head.base) this.#replica = await this.#log.compact(replica);
    });
    compacted.catch(() => {});
  }

  #synced(): Promise<Replica> {
    return this.#inTurn(() => this.#update());
  }

  async #update(): Promise<Replica> {
    const replica = this.#replica;
    this.#replica = undefined;
    this.#replica = replica === undefined ? await this.#log.load() : await this.#log.update(replica);
    return this.#replica;
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** The number of times the key was locked is the fence. */
  #lease(key: string, owner: string, session: string) {
    return {
      acquire: () =>
        this.#faults.attempt(async () => {
          if (await this.#kv.setLocked(key, owner, { acquire: session }))
            return (await this.#kv.get(key))?.lock;
          if (await this.#kv.renewSession(session)) return undefined;
          throw new Error('the session of a waiting lock ended');
        }),
      renew: () => this.#kv.renewSession(session),
      release: async () => {
        await this.#faults.attempt(async () => {
          await this.#kv.setLocked(key, owner, { release: session });
          await this.#endSession(session);
        });
      },
    };
  }

  async #endSession(session: string): Promise<void> {
    this.#sessions.delete(session);
    await this.#kv.endSession(session);
  }

  get #prefix(): string {
    return this.#options.prefix ?? 'weir';
  }
}
