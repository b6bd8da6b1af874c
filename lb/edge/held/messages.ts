import type { DirectoryDelta } from '../../../core/model/directory.ts';
import type { ListenerState } from '../../../core/model/listener.ts';
import type { ListenAddress } from '../../engine.ts';
import type { FullReport, ListenFailure } from '../messages.ts';
import type { WhyLink, WhyQuestion } from '../why/why.ts';

/** Of what is said between an agent and the edge it holds; two that differ do not understand each other. */
export const protocol = 1;

/** What an agent asks of its edge, and what it is answered. */
export type Calls = {
  /** First of all. `settings`: as text; an edge that has others is of no use. */
  readonly hello: {
    readonly asks: { readonly protocol: number; readonly settings: string };
    readonly answer: Hello;
  };
  readonly apply: { readonly asks: DirectoryDelta; readonly answer: number };
  readonly inFlight: { readonly asks: undefined; readonly answer: ReadonlyMap<string, number> };
  readonly reports: { readonly asks: undefined; readonly answer: readonly FullReport[] };
  readonly why: { readonly asks: WhyQuestion; readonly answer: readonly WhyLink[] };
  readonly metrics: { readonly asks: undefined; readonly answer: string };
  readonly replaceWorkers: { readonly asks: undefined; readonly answer: undefined };
  /** Starts another in its place and lets its own clients go; what it is asked after that it answers for them. Throws what that one throws. */
  readonly handOver: { readonly asks: Program; readonly answer: undefined };
  /** Ends it with everything it has open. */
  readonly end: { readonly asks: undefined; readonly answer: undefined };
};

/** What runs an edge: a program and its arguments. */
export type Program = { readonly file: string; readonly args: readonly string[] };

export type Hello = {
  /** False: it is another edge than was asked for. */
  readonly fits: boolean;
  readonly pid: number;
  /** In force; 0: nothing. */
  readonly revision: number;
  readonly store?: string;
  /** It can hand over; absent: it is of an older version and cannot. */
  readonly handsOver?: true;
};

export type Call = keyof Calls;
export type ToHeld = { readonly id: number; readonly call: Call; readonly asks: unknown };

/** Comes with every answer, for what must be said without asking. */
export type HeldState = {
  readonly listening: readonly ListenAddress[];
  readonly listeners: readonly ListenerState[];
  readonly generations: readonly number[];
};

export type FromHeld =
  | { readonly id: number; readonly answer: unknown; readonly state: HeldState }
  | { readonly id: number; readonly failure: Partial<ListenFailure> & { readonly message: string } }
  /** It has lost what it was given. */
  | { readonly event: 'reset' };

/** Ours by construction: only its shape is looked at. */
export function isToHeld(value: unknown): value is ToHeld {
  return typeof value === 'object' && value !== null && 'id' in value && 'call' in value;
}

export function isFromHeld(value: unknown): value is FromHeld {
  return typeof value === 'object' && value !== null && ('id' in value || 'event' in value);
}
