import { Redis } from 'ioredis';
import type { Clock } from '../../kit/clock.ts';
import type { Change, CommitResult, Fence, Lock, Store, StoredRecord, TableName, Write } from '../store.ts';
import { holdLease } from './lease.ts';
import { acquireScript, commitScript, releaseScript, renewScript } from './redis-scripts.ts';
import { RemoteFaults } from './remote-faults.ts';

export type RedisOptions = {
  /** `redis://host:port/db` or `rediss://…`. */
  readonly url: string;
  readonly clock: Clock;
  /** Begins every key; in braces, so that a cluster keeps all of them on one node. Default `weir`. */
  readonly prefix?: string;
  /** ms; default 10 000. */
  readonly leaseMs?: number;
  /** Changes kept for watchers that come later; default 10 000. */
  readonly keep?: number;
  /** Told once at open when the server may forget what it acknowledged. */
  readonly warn?: (message: string) => void;
};

const answerWithinMs = 5_000;
const blockMs = 2_000;

/** A Store shared by several masters. Redis decides each commit alone; what a holder of a lock may write is fenced by its number. */
export class RedisStore implements Store {
  readonly #options: RedisOptions;
  readonly #faults: RemoteFaults;
  readonly #client: Redis;
  readonly #closing = new AbortController();

  constructor(options: RedisOptions) {
    this.#options = options;
    this.#faults = new RemoteFaults(options.url);
    this.#client = new Redis(options.url, {
      lazyConnect: true,
      commandTimeout: answerWithinMs,
      connectTimeout: answerWithinMs,
      // A command whose answer was lost may have been done: the caller must know, and decide again.
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    });
    // Each command rejects with its own error; without a listener the client would print this one.
    this.#client.on('error', () => {});
  }

  async open(): Promise<void> {
    if (this.#client.status === 'ready') return;
    await this.#faults.attempt(() => this.#client.connect());
    await this.#checkDurability();
  }

  list() {
    return this.#faults.attempt(async () => {
      const results = await this.#client
        .multi()
        .get(this.#key('revision'))
        .hgetall(this.#key('records'))
        .exec();
      const [revision, fields] = (results ?? []).map(([error, value]) => {
        if (error !== null) throw error;
        return value;
      }) as [string | null, Record<string, string>];
      return { revision: Number(revision), records: Object.entries(fields).map(recordOf) };
    });
  }

  get(table: TableName, key: string): Promise<StoredRecord | undefined> {
    return this.#faults.attempt(async () => {
      const field = `${table}\n${key}`;
      const held = await this.#client.hget(this.#key('records'), field);
      return held === null ? undefined : recordOf([field, held]);
    });
  }

  commit(writes: readonly Write[], fence?: Fence): Promise<CommitResult> {
    return this.#faults.attempt(async () => {
      if (writes.length === 0) {
        return { kind: 'committed', revision: Number(await this.#client.get(this.#key('revision'))) };
      }
      const names = ['records', 'revision', 'changes', `fence:${fence?.lock ?? ''}`];
      const keys = names.map((name) => this.#key(name));
      const answer = await this.#client.eval(
        ...([commitScript, 4, ...keys, String(fence?.fence ?? '')] as const),
        ...this.#commitArguments(writes),
      );
      const [done, number] = answer as [number, number];
      if (done === 1) return { kind: 'committed', revision: number };
      if (done === 2) throw this.#faults.fenced();
      const { table, key } = writes[number]!;
      return { kind: 'conflict', table, key };
    });
  }

  async *watch(revision: number, signal: AbortSignal): AsyncGenerator<Change> {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    if (ended.aborted) return;
    const connection = this.#client.duplicate({ lazyConnect: true, retryStrategy: () => null });
    connection.on('error', () => {});
    const end = () => connection.disconnect();
    ended.addEventListener('abort', end);
    try {
      await this.#faults.attempt(() => connection.connect());
      yield* this.#follow(connection, revision);
    } catch (error) {
      if (!ended.aborted) throw this.#faults.unavailable(error);
    } finally {
      ended.removeEventListener('abort', end);
      connection.disconnect();
    }
  }

  lock(name: string, owner: string, signal: AbortSignal): Promise<Lock> {
    const ttlMs = this.#options.leaseMs ?? 10_000;
    const lease = this.#key(`lease:${name}`);
    const holder = (fence: number) => `${owner} ${fence}`;
    const server = {
      acquire: () =>
        this.#faults.attempt(async () => {
          const keys = [lease, this.#key(`fence:${name}`)];
          const fence = Number(await this.#client.eval(acquireScript, 2, ...keys, owner, ttlMs));
          return fence === 0 ? undefined : fence;
        }),
      renew: async (fence: number) =>
        (await this.#client.eval(renewScript, 1, lease, holder(fence), ttlMs)) === 1,
      release: async (fence: number) => {
        await this.#faults.attempt(() => this.#client.eval(releaseScript, 1, lease, holder(fence)));
      },
    };
    const waiting = AbortSignal.any([signal, this.#closing.signal]);
    return holdLease(
      server,
      { clock: this.#options.clock, ttlMs, retryMs: Math.min(250, ttlMs / 10) },
      waiting,
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#client.disconnect();
  }

  async *#follow(connection: Redis, from: number): AsyncGenerator<Change> {
    const current = Number(await connection.get(this.#key('revision')));
    if (from > current) throw this.#faults.notKept(from);
    for (let last = from; ; ) {
      const streams = [this.#key('changes'), `${last}-0`] as const;
      const answer = await connection.xread('COUNT', 256, 'BLOCK', blockMs, 'STREAMS', ...streams);
      for (const [id, fields] of answer?.[0]?.[1] ?? []) {
        const change = changeOf(id, fields);
        if (change.revision !== last + 1) throw this.#faults.notKept(last);
        last = change.revision;
        yield change;
      }
    }
  }

  #commitArguments(writes: readonly Write[]): string[] {
    const values = writes.map((write) => (write.kind === 'put' ? JSON.stringify(write.value) : ''));
    const records = writes.map(({ table, key }, index) => {
      const value = values[index] === '' ? '' : `,"value":${values[index]}`;
      return `{"table":${JSON.stringify(table)},"key":${JSON.stringify(key)}${value}}`;
    });
    const perWrite = writes.flatMap((write, index) => [
      write.kind,
      `${write.table}\n${write.key}`,
      write.expect === undefined ? '' : String(write.expect),
      values[index] ?? '',
    ]);
    return [String(this.#options.keep ?? 10_000), `[${records.join(',')}]`, ...perWrite];
  }

  async #checkDurability(): Promise<void> {
    const settings = await this.#client.config('GET', 'append*').catch(() => []);
    const pairs = new Map(chunked(settings as string[]));
    if (pairs.get('appendonly') === 'yes' && pairs.get('appendfsync') === 'always') return;
    this.#options.warn?.(
      `The Redis server ${this.#faults.where} may forget what it acknowledged when it fails: set "appendonly yes" and "appendfsync always"`,
    );
  }

  #key(name: string): string {
    return `{${this.#options.prefix ?? 'weir'}}:${name}`;
  }
}

function recordOf([field, held]: readonly [string, string]): StoredRecord {
  const line = field.indexOf('\n');
  const colon = held.indexOf(':');
  return {
    table: field.slice(0, line) as TableName,
    key: field.slice(line + 1),
    value: JSON.parse(held.slice(colon + 1)),
    version: Number(held.slice(0, colon)),
  };
}

/** Stream entries hold one field, `records`. A deletion has no `value` there, and `undefined` here. */
function changeOf(id: string, fields: readonly string[]): Change {
  const records = JSON.parse(fields[1] ?? '[]') as { table: TableName; key: string; value?: unknown }[];
  return {
    revision: Number(id.split('-')[0]),
    records: records.map(({ table, key, value }) => ({ table, key, value })),
  };
}

function chunked(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, n) => [list[2 * n]!, list[2 * n + 1]!]);
}
