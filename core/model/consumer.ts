import type { Directory, DirectoryDelta } from './directory.ts';
import type { InstanceId } from './ids.ts';
import type { ListenerState } from './listener.ts';

/**
 * Someone who turns the Directory into answers, kernel tables or routes: `dns`, `vip`, `edge`.
 * The agent hands every revision to every consumer and reports to the master what each has in force.
 */
export interface DirectoryConsumer {
  /** `dns`, `vip` or `edge`. */
  readonly name: string;
  /**
   * Puts `directory` in force as a whole and resolves with the revision in force from now on (at least
   * `directory.revision`). `delta` says what changed since the last call that resolved; undefined: unknown, compare all.
   * Called once at a time; may be repeated with the same value. A rejection means the old revision stays in force
   * and the agent will call again.
   */
  apply(directory: Directory, delta: DirectoryDelta | undefined): Promise<number>;
  /**
   * Requests or connections this consumer still carries to instances that are no longer in the Directory,
   * by instance. Absent for consumers that carry none (dns).
   */
  inFlight?(): Promise<ReadonlyMap<InstanceId, number>>;
  /** What became of the listeners of the Directory (edge). */
  listeners?(): readonly ListenerState[];
  /** Calls back when the consumer lost its state (its worker died) and needs the whole Directory again. */
  onReset?(listener: () => void): void;
}
