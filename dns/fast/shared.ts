import type { GuardOptions } from '../guard.ts';
import type { HotAnswer } from '../hot/table.ts';

/** Words of the memory both threads see. */
export const WORD = {
  /** Messages sent to the loop so far. */
  mail: 0,
  /** 1 while the loop answers a batch. */
  busy: 1,
  /** 1: the loop is to end. */
  stop: 2,
  /** Questions handed to the main thread that it has not begun with. */
  waiting: 3,
  /** Questions that were not handed over, because too many were waiting. */
  refused: 4,
  /** 1: the socket is the loop's. */
  begin: 5,
  /** Replies cut to the question. */
  limited: 6,
  /** Sixteen words: hot replies by response code. */
  replies: 8,
} as const;

export const codes = 16;
export const sharedWords = WORD.replies + codes;

/** What the loop is started with. */
export type LoopStart = {
  readonly fd: number;
  readonly shared: Int32Array<SharedArrayBuffer>;
  readonly udpPayload: number;
  /** Hot answers kept. */
  readonly most: number;
  readonly guard: GuardOptions;
};

/** From the main thread; each is counted in `WORD.mail` after it was sent. */
export type Mail =
  | { readonly kind: 'put'; readonly answer: HotAnswer }
  | { readonly kind: 'drop'; readonly hashes: readonly number[] };

/** To the main thread: packets one after the other, each behind `socketAddressLength` bytes of address and two of length. */
export type Handed = { readonly count: number; readonly packets: Uint8Array };

/** To the main thread: a hot answer to be noted; the packet as one that is handed over. */
export type Sampled = { readonly packets: Uint8Array; readonly rcode: number; readonly standsFor: number };

/** How many packets the kernel hands over at once, at most. */
export const batchSize = 64;
/** The longest query taken; a longer one is dropped. */
export const longestQuery = 4_096;
