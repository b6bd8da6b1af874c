import { randomUUID } from 'node:crypto';
import type { Change, StoredRecord } from '../store.ts';
import type { ConsulItem, ConsulKv, KvWrite } from './consul-kv.ts';
import { History } from './history.ts';
import { Records } from './records.ts';

export type Head = {
  /** Of the last commit. */
  readonly revision: number;
  /** Of the last snapshot, and of the one before it; 0: none. */
  readonly base: number;
  readonly before: number;
  /** Key of the last snapshot. Unique, for two processes may write one at the same time. */
  readonly snapshot: string;
};

/** What a process knows of the log: everything up to `head`, which had Consul's index `index`. */
export type Replica = {
  readonly head: Head;
  readonly index: number;
  readonly records: Records;
  readonly history: History;
};

/** Consul's limit is 512 KiB a value and a transaction; a value travels as base64 there. */
const chunkSize = 250_000;
const transactionSize = 60;
const fetchAtOnce = 16;

/**
 * A log of commits in Consul's key-value store. Consul's transactions end at 64 operations and half a megabyte, so a
 * commit is never spread over records there: it is one entry of the log, and becomes true by one compare-and-set of
 * `head`, whatever its size. Parts of a large entry are written before, under names that nobody reads until then.
 *
 *   head                        {revision, base, before, snapshot}
 *   log/<revision>              records of the change, or {parts}
 *   part/<revision>-<id>/n      a piece of a large entry
 *   snapshot/<revision>-<id>/n  a piece of everything as of `base`; log entries up to `before` are gone
 */
export class ConsulLog {
  readonly #kv: ConsulKv;
  readonly #prefix: string;

  constructor(kv: ConsulKv, prefix: string) {
    this.#kv = kv;
    this.#prefix = prefix;
  }

  get headKey(): string {
    return `${this.#prefix}/head`;
  }

  async prepare(): Promise<void> {
    const head: Head = { revision: 0, base: 0, before: 0, snapshot: '' };
    await this.#kv.set(this.headKey, JSON.stringify(head), 0);
  }

  /** Everything, from nothing. A snapshot that another process replaces meanwhile is read again. */
  async load(): Promise<Replica> {
    for (let tries = 0; tries < 10; tries += 1) {
      const { head, index } = await this.#head();
      const stored = await this.#snapshot(head);
      if (stored === undefined) continue;
      const base = { ...head, revision: head.base };
      const history = new History({ revision: head.base });
      const whole = await this.#extend(
        { head: base, index, records: new Records(stored), history },
        head,
        index,
      );
      if (whole !== undefined) return whole;
    }
    throw new Error(`the entries below ${this.#prefix} do not make a whole`);
  }

  /** The replica brought up to date. One that was away for too long is made anew. */
  async update(replica: Replica): Promise<Replica> {
    const { head, index } = await this.#head();
    if (index === replica.index) return replica;
    return (await this.#extend(replica, head, index)) ?? this.load();
  }

  /** Makes the change true if it is the next one and what `guards` say holds; undefined: another process was first. */
  async append(
    { head, index, records, history }: Replica,
    change: Change,
    guards: readonly KvWrite[] = [],
  ): Promise<Replica | undefined> {
    const text = asciiJson(change.records);
    const parts = text.length > chunkSize ? await this.#writeParts(change.revision, text) : undefined;
    const next: Head = { ...head, revision: change.revision };
    const entry = parts === undefined ? text : JSON.stringify({ parts });
    const swapped = await this.#kv.transaction([
      { kind: 'cas', key: this.headKey, value: JSON.stringify(next), index },
      { kind: 'set', key: this.#entryKey(change.revision), value: entry },
      ...guards,
    ]);
    if (swapped === undefined) return undefined;
    records.apply(change);
    history.append(change);
    return { head: next, index: swapped, records, history };
  }

  /** Writes a snapshot, then forgets the entries before the last one, so that who is a little behind can still follow. */
  async compact(replica: Replica): Promise<Replica> {
    const { head, index, records } = replica;
    const { revision, base: before } = head;
    const snapshot = this.#uniqueKey('snapshot', revision);
    await this.#writeChunks(snapshot, asciiJson(records.all()));
    const next: Head = { revision, base: revision, before, snapshot };
    const swapped = await this.#kv.transaction([
      { kind: 'cas', key: this.headKey, value: JSON.stringify(next), index },
    ]);
    if (swapped === undefined) return replica;
    await this.#forget(next);
    return { ...replica, head: next, index: swapped };
  }

  async #head(): Promise<{ readonly head: Head; readonly index: number }> {
    const item = await this.#kv.get(this.headKey);
    if (item === undefined) throw new Error(`the key ${this.headKey} is gone`);
    return { head: JSON.parse(item.value) as Head, index: item.index };
  }

  /** Undefined: an entry on the way is not kept any more. */
  async #extend(replica: Replica, head: Head, index: number): Promise<Replica | undefined> {
    const { records, history } = replica;
    for (let from = replica.head.revision + 1; from <= head.revision; from += fetchAtOnce) {
      const count = Math.min(fetchAtOnce, head.revision - from + 1);
      const revisions = Array.from({ length: count }, (_, n) => from + n);
      const changes = await Promise.all(revisions.map((revision) => this.#entry(revision)));
      for (const change of changes) {
        if (change === undefined) return undefined;
        records.apply(change);
        history.append(change);
      }
    }
    return { head, index, records, history };
  }

  async #entry(revision: number): Promise<Change | undefined> {
    const item = await this.#kv.get(this.#entryKey(revision));
    if (item === undefined) return undefined;
    const entry = JSON.parse(item.value) as Change['records'] | { readonly parts: string };
    if (!('parts' in entry)) return { revision, records: entry.map(withValue) };
    const text = await this.#readChunks(entry.parts);
    if (text === undefined) return undefined;
    return { revision, records: (JSON.parse(text) as Change['records']).map(withValue) };
  }

  async #snapshot({ snapshot }: Head): Promise<readonly StoredRecord[] | undefined> {
    if (snapshot === '') return [];
    const text = await this.#readChunks(snapshot);
    return text === undefined ? undefined : (JSON.parse(text) as readonly StoredRecord[]);
  }

  async #writeParts(revision: number, text: string): Promise<string> {
    const key = this.#uniqueKey('part', revision);
    await this.#writeChunks(key, text);
    return key;
  }

  async #writeChunks(key: string, text: string): Promise<void> {
    const count = Math.ceil(text.length / chunkSize);
    for (let n = 0; n < count; n += 1) {
      await this.#kv.set(`${key}/${padded(n)}`, text.slice(n * chunkSize, (n + 1) * chunkSize));
    }
    // Written last: its presence says that the others are complete.
    await this.#kv.set(`${key}/count`, String(count));
  }

  async #readChunks(key: string): Promise<string | undefined> {
    const items = await this.#kv.below(`${key}/`);
    const count = items.find((item) => item.key === `${key}/count`);
    const chunks = items.filter((item) => item !== count).toSorted(byKey);
    if (count === undefined || chunks.length !== Number(count.value)) return undefined;
    return chunks.map((chunk) => chunk.value).join('');
  }

  async #forget({ base, before, snapshot }: Head): Promise<void> {
    const limits: Readonly<Record<string, number>> = { log: before, part: before, snapshot: base };
    const keys = await this.#kv.keys(`${this.#prefix}/`);
    const gone = keys.filter((key) => {
      const [area = '', name = ''] = key.slice(this.#prefix.length + 1).split('/');
      const limit = limits[area];
      return limit !== undefined && Number(name.slice(0, 16)) <= limit && !key.startsWith(`${snapshot}/`);
    });
    for (let at = 0; at < gone.length; at += transactionSize) {
      const writes = gone.slice(at, at + transactionSize).map((key): KvWrite => ({ kind: 'delete', key }));
      await this.#kv.transaction(writes);
    }
  }

  #entryKey(revision: number): string {
    return `${this.#prefix}/log/${padded(revision)}`;
  }

  #uniqueKey(area: 'part' | 'snapshot', revision: number): string {
    return `${this.#prefix}/${area}/${padded(revision)}-${randomUUID()}`;
  }
}

/** Only ASCII, so that a text may be cut anywhere. */
function asciiJson(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escaped);
}

function padded(number: number): string {
  return String(number).padStart(16, '0');
}

function byKey(a: ConsulItem, b: ConsulItem): number {
  return a.key < b.key ? -1 : 1;
}

/** JSON has no undefined: a deletion has no `value` there. */
function withValue({ table, key, value }: Change['records'][number]): Change['records'][number] {
  return { table, key, value };
}
