import type { DirectoryDelta } from '../../core/model/directory.ts';
import type { EngineStats } from '../engine.ts';

/** What the control process tells a worker. `id` comes back in the answer. */
export type ToWorker =
  | { readonly kind: 'apply'; readonly id: number; readonly delta: DirectoryDelta }
  | { readonly kind: 'report'; readonly id: number }
  /** Comes with a bound socket. */
  | { readonly kind: 'socket'; readonly scheme: 'http' | 'https' }
  /** Everything needed to begin has been sent. */
  | { readonly kind: 'serve' }
  /** What session tickets are made with from now on, base64: the same for all workers. */
  | { readonly kind: 'ticket-key'; readonly key: string }
  | {
      readonly kind: 'certificate';
      readonly name: string;
      readonly key: string;
      readonly cert: string;
    };

/** What a worker tells the control process. */
export type FromWorker =
  | { readonly kind: 'listening' }
  | { readonly kind: 'cannot-listen'; readonly failure: ListenFailure }
  | { readonly kind: 'applied'; readonly id: number; readonly revision: number }
  | { readonly kind: 'report'; readonly id: number; readonly report: WorkerReport }
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
  readonly stats: EngineStats;
  /** Resident memory, bytes. */
  readonly memory: number;
};

/** A message from the other process: ours by construction, so only its kind is looked at. */
export function parseMessage<M extends ToWorker | FromWorker>(message: unknown): M | undefined {
  const isMessage = typeof message === 'object' && message !== null && 'kind' in message;
  return isMessage ? (message as M) : undefined;
}
