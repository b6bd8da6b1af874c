import type { DirectoryDelta } from '../../core/model/directory.ts';
import type { Listener } from '../../core/model/listener.ts';
import type { EngineStats } from '../engine.ts';
import type { WhyLink, WhyQuestion } from './why/why.ts';

/** What the control process tells a worker. `id` comes back in the answer. */
export type ToWorker =
  | { readonly kind: 'apply'; readonly id: number; readonly delta: DirectoryDelta }
  | { readonly kind: 'report'; readonly id: number; readonly full: boolean }
  | { readonly kind: 'why'; readonly id: number; readonly question: WhyQuestion }
  /** Comes with a bound socket, but for UDP; without one for a listener that is open: what it does changes. */
  | { readonly kind: 'open'; readonly listener: Listener }
  | { readonly kind: 'shut'; readonly listener: string }
  /** Another worker has taken over. */
  | { readonly kind: 'leave' }
  /** Everything needed to begin has been sent. */
  | { readonly kind: 'serve' }
  /** What session tickets are made with from now on, base64: the same for all workers. */
  | { readonly kind: 'ticket-key'; readonly key: string }
  | {
      readonly kind: 'certificate';
      readonly name: string;
      readonly key: string;
      readonly cert: string;
    }
  /** Nobody makes one for the name now; it may be asked for again. */
  | { readonly kind: 'no-certificate'; readonly name: string; readonly reason: string };

/** What a worker tells the control process. */
export type FromWorker =
  | { readonly kind: 'listening' }
  | { readonly kind: 'cannot-listen'; readonly failure: ListenFailure }
  /** A listener is open, or does what it was told to do now. */
  | { readonly kind: 'opened'; readonly listener: string }
  /** A listener was to be opened and is not. */
  | { readonly kind: 'not-open'; readonly listener: string; readonly problem: string }
  | { readonly kind: 'applied'; readonly id: number; readonly revision: number }
  | { readonly kind: 'report'; readonly id: number; readonly report: WorkerReport }
  | { readonly kind: 'why'; readonly id: number; readonly links: readonly WhyLink[] }
  /** Wants key and certificate for a server name. */
  | { readonly kind: 'certificate'; readonly name: string };

export type ListenFailure = {
  readonly code: string;
  readonly message: string;
  readonly address: string;
  readonly port: number;
};

export type WorkerReport = {
  readonly inFlight: ReadonlyMap<string, number>;
  /** Process id. */
  readonly worker: number;
  /** Resident memory, bytes. */
  readonly memory: number;
  /** Only if asked for in full. */
  readonly stats: EngineStats | undefined;
};

export type FullReport = WorkerReport & { readonly stats: EngineStats };

/** A message from the other process: ours by construction, so only its kind is looked at. */
export function parseMessage<M extends ToWorker | FromWorker>(message: unknown): M | undefined {
  const isMessage = typeof message === 'object' && message !== null && 'kind' in message;
  return isMessage ? (message as M) : undefined;
}
