import type { AgentId, InstanceId } from '../core/model/ids.ts';
import type { AgentPresence } from '../core/state/presence.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { PlacementRules } from './placement-rules.ts';

/** All a decision may look at. With the same world it always comes out the same. */
export type World = {
  readonly snapshot: Snapshot;
  readonly presence: ReadonlyMap<AgentId, AgentPresence>;
  /** First Directory revision without this instance; undefined while it is still in. */
  readonly absentSince: (instance: InstanceId) => number | undefined;
  /** ms since the epoch. */
  readonly now: number;
  /** When this master began to lead: agents get the same patience from then as after a heartbeat. */
  readonly leadingSince: number;
  readonly uuid: () => string;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly limits: Limits;
};

export type Limits = {
  /** Upper bound of a drain; it ends earlier when nothing is in flight. */
  readonly drainLimitMs: number;
  /** An agent not heard of for this long is lost. */
  readonly agentLostMs: number;
  /** An instance that does not run this long after its launch is ended and launched anew. */
  readonly launchTimeoutMs: number;
  readonly placement: PlacementRules;
  /** A drain waits for acknowledgements. Off only to prove that tests notice. */
  readonly waitForAcks: boolean;
};
