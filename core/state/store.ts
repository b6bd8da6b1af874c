import { WeirError } from '../kit/errors.ts';

/** Table names; a record's key is unique within its table. */
export type TableName =
  | 'apps'
  | 'versions'
  | 'groups'
  | 'roots'
  | 'networks'
  | 'pools'
  | 'routes'
  | 'listeners'
  | 'hosts'
  | 'certificates'
  | 'authorities'
  | 'accounts'
  | 'issuances'
  | 'orders'
  | 'challenges'
  | 'deployments'
  | 'placements'
  | 'addresses'
  | 'backoffs'
  | 'failures'
  | 'agents'
  | 'drains'
  | 'settings'
  | 'instances'
  | 'leases'
  | 'meta';

/** A stored JSON value. `version` is the store revision of its last write, from 1, growing over the whole store. */
export type StoredRecord = {
  readonly table: TableName;
  readonly key: string;
  readonly value: unknown;
  readonly version: number;
};

/**
 * One write of a commit. `expect` is compare-and-set: the version read before, 0 for "must not exist",
 * undefined for "whatever is there" (only for tables of which the writer is the only one).
 */
export type Write =
  | {
      readonly kind: 'put';
      readonly table: TableName;
      readonly key: string;
      readonly value: unknown;
      readonly expect?: number;
    }
  | { readonly kind: 'delete'; readonly table: TableName; readonly key: string; readonly expect?: number };

/** What a commit changed, in order. `value` undefined: deleted. */
export type Change = {
  readonly revision: number;
  readonly records: readonly { readonly table: TableName; readonly key: string; readonly value: unknown }[];
};

/** A lost race is a value: the writer decides again from a fresh snapshot, and never merges. */
export type CommitResult =
  | { readonly kind: 'committed'; readonly revision: number }
  | { readonly kind: 'conflict'; readonly table: TableName; readonly key: string };

/** A lock that a commit is made under: the store refuses it once somebody else has held the lock. */
export type Fence = { readonly lock: string; readonly fence: number };

/** Held leadership. `fence` grows with every holder; a commit that names an older one is refused by a shared store. */
export type Lock = {
  readonly fence: number;
  /** Aborts when the lock is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
};

/** The store cannot be reached, is full, or refused a write for a reason that is not a race. */
export class StoreUnavailable extends WeirError {
  constructor(where: string, detail: string, cause?: unknown) {
    super('WEIR_STORE_UNAVAILABLE', `Cannot use the store ${where}: ${detail}`, { cause });
  }
}

/**
 * Where accepted things live (house §7). Every method may be repeated. All throw StoreUnavailable.
 */
export interface Store {
  /** Prepares the store; nothing else may be called before. */
  open(): Promise<void>;
  /** Everything, with the revision it is of. */
  list(): Promise<{ readonly revision: number; readonly records: readonly StoredRecord[] }>;
  get(table: TableName, key: string): Promise<StoredRecord | undefined>;
  /**
   * All writes or none, durable when resolved. An empty list commits nothing and gives the present revision. With a fence:
   * StoreUnavailable, and nothing written, when the lock was given to another since. Stores of one process need none.
   */
  commit(writes: readonly Write[], fence?: Fence): Promise<CommitResult>;
  /** Every change after `revision`, in order, each once, without a gap. Ends when the signal aborts. */
  watch(revision: number, signal: AbortSignal): AsyncIterable<Change>;
  /** Resolves when this process holds the named lock; rejects when the signal aborts. */
  lock(name: string, owner: string, signal: AbortSignal): Promise<Lock>;
  close(): Promise<void>;
}
