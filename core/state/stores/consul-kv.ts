import { EventEmitter } from 'node:events';
import Consul from 'consul';

export type ConsulItem = {
  readonly key: string;
  readonly value: string;
  readonly index: number;
  readonly lock: number;
};

export type KvWrite =
  | { readonly kind: 'cas'; readonly key: string; readonly value: string; readonly index: number }
  | { readonly kind: 'set'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  /** Writes nothing: the others are only written while this session holds the key. */
  | { readonly kind: 'held'; readonly key: string; readonly session: string };

const answerWithinMs = 10_000;
const waitSeconds = 30;

/** The few calls of Consul that the store needs. Reads are consistent: they see every write that was acknowledged before. */
export class ConsulKv {
  readonly #consul: Consul;

  constructor(url: string) {
    const { protocol, hostname, port, password } = new URL(url);
    const secure = protocol === 'https:';
    this.#consul = new Consul({
      host: hostname,
      port: Number(port) || (secure ? 443 : 8500),
      secure,
      defaults: { consistent: true, ...(password === '' ? {} : { token: decodeURIComponent(password) }) },
    });
  }

  async get(key: string): Promise<ConsulItem | undefined> {
    return itemOf(await this.#consul.kv.get({ key, ...limits }));
  }

  /** Resolves when the key has changed since `index`, or after a while without a change. Rejects when aborted. */
  async changed(key: string, index: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const ctx = new EventEmitter();
    const cancel = () => ctx.emit('cancel');
    signal.addEventListener('abort', cancel);
    try {
      // Consul adds up to a sixteenth of the wait by itself.
      const options = {
        key,
        index: String(index),
        wait: `${waitSeconds}s`,
        ctx,
        timeout: waitSeconds * 1_500,
      };
      await this.#consul.kv.get(options);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async below(prefix: string): Promise<readonly ConsulItem[]> {
    const found = await this.#consul.kv.get({ key: prefix, recurse: true, ...limits });
    return [found].flat().flatMap((one) => itemOf(one) ?? []);
  }

  async keys(prefix: string): Promise<readonly string[]> {
    return (await this.#consul.kv.keys({ key: prefix, ...limits })) ?? [];
  }

  async set(key: string, value: string, cas?: number): Promise<boolean> {
    return this.#consul.kv.set({ key, value, ...(cas === undefined ? {} : { cas }), ...limits });
  }

  async setLocked(
    key: string,
    value: string,
    change: { acquire: string } | { release: string },
  ): Promise<boolean> {
    return this.#consul.kv.set({ key, value, ...change, ...limits });
  }

  /** All or none, at most 64. Gives the new index of the first key; undefined: the key of a `cas` was changed meanwhile, or a `held` one is not. */
  async transaction(writes: readonly KvWrite[]): Promise<number | undefined> {
    // The package declares another form than the one Consul takes, which it sends unchanged.
    const operations = writes.map(operationOf) as unknown as Parameters<Consul['transaction']['create']>[0];
    try {
      const { Results } = await this.#consul.transaction.create(operations, { operations, ...limits });
      return Results?.[0]?.KV?.ModifyIndex ?? 0;
    } catch (error) {
      if (statusOf(error) === 409) return undefined;
      throw error;
    }
  }

  /** A session ends unless it is renewed within `ttlMs` (at least 10 000, by Consul's rule). */
  async startSession(name: string, ttlMs: number): Promise<string> {
    const ttl = `${Math.ceil(ttlMs / 1_000)}s`;
    const session = { name, ttl, lockdelay: '0s', behavior: 'release', ...limits } as const;
    return (await this.#consul.session.create(session)).ID;
  }

  /** False: the session is over. */
  async renewSession(id: string): Promise<boolean> {
    try {
      return (await this.#consul.session.renew(id)).length > 0;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  async endSession(id: string): Promise<void> {
    await this.#consul.session.destroy(id);
  }

  close(): void {
    this.#consul.destroy();
  }
}

const limits = { timeout: answerWithinMs };

type RawItem = {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
  readonly LockIndex: number;
};

function itemOf(raw: RawItem | RawItem[] | null | undefined): ConsulItem | undefined {
  if (raw === null || raw === undefined || Array.isArray(raw)) return undefined;
  return { key: raw.Key, value: raw.Value ?? '', index: raw.ModifyIndex, lock: raw.LockIndex };
}

function operationOf(write: KvWrite): object {
  if (write.kind === 'delete') return { KV: { Verb: 'delete', Key: write.key } };
  if (write.kind === 'held') return { KV: { Verb: 'check-session', Key: write.key, Session: write.session } };
  const value = { Key: write.key, Value: Buffer.from(write.value).toString('base64') };
  return {
    KV: write.kind === 'set' ? { Verb: 'set', ...value } : { Verb: 'cas', Index: write.index, ...value },
  };
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
