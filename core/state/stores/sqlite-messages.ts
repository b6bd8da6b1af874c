import type { TableName } from '../store.ts';

/** A write with its value as JSON; without: a deletion. */
export type TextWrite = {
  readonly table: TableName;
  readonly key: string;
  readonly text?: string;
  readonly expect?: number;
};

export type Row = readonly [table: TableName, key: string, text: string, version: number];

export type ListedRow = readonly [table: TableName, key: string, value: unknown, version: number];

/** An error of SQLite or the system, as it travels between threads. */
export type Fault = { readonly message: string; readonly code?: string; readonly errcode?: number };

/** `lost`: index of the write that expected another version. */
export type Outcome =
  | { readonly kind: 'committed'; readonly revision: number }
  | { readonly kind: 'conflict'; readonly lost: number }
  | { readonly kind: 'failed'; readonly fault: Fault };

export type Request =
  | { readonly kind: 'commit'; readonly commits: readonly (readonly TextWrite[])[] }
  /** `taken` is shared: how many parts of the answer were taken. The thread waits rather than being far ahead. */
  | { readonly kind: 'list'; readonly taken: Int32Array }
  | { readonly kind: 'get'; readonly table: TableName; readonly key: string }
  | { readonly kind: 'fence'; readonly lock: string }
  | { readonly kind: 'close' };

/** One for each request, in their order; `rows` come before `listed`. */
export type Answer =
  | { readonly kind: 'opened'; readonly revision: number }
  | { readonly kind: 'failed'; readonly fault: Fault }
  | { readonly kind: 'commits'; readonly outcomes: readonly Outcome[] }
  /** `rows`: JSON of an array of ListedRow. */
  | { readonly kind: 'rows'; readonly rows: string }
  | { readonly kind: 'listed'; readonly revision: number }
  | { readonly kind: 'row'; readonly row: Row | undefined }
  | { readonly kind: 'fence'; readonly fence: number }
  | { readonly kind: 'closed' };
