import type { AgentId, AppId, InstanceId, Version } from './ids.ts';

/**
 * `run`: wanted. `drain`: get nothing new, keep serving what is in flight. `stop`: end it.
 * The goal only ever moves to the right.
 */
export type Goal = 'run' | 'drain' | 'stop';

/** An instance bound to an agent. Written by the scheduler only; gone once the agent reported the end of a stopped one. */
export type Placement = {
  readonly instanceId: InstanceId;
  readonly appId: AppId;
  /** The app version it was launched with; names a record of desired/versions. */
  readonly appVersion: Version;
  readonly agentId: AgentId;
  /** From 1; grows when the same instance is launched again. */
  readonly attempt: number;
  /** By port index; null where the port asks for no host port. */
  readonly hostPorts: readonly (number | null)[];
  /** By port index; null in host mode. */
  readonly containerPorts: readonly (number | null)[];
  readonly goal: Goal;
  /** Why it drains or stops, for people: "scaled down", "replaced by version …". */
  readonly reason?: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  /** When the goal became `drain`, ms since the epoch. */
  readonly drainingSince?: number;
  /** Since when its agent counts as lost, ms since the epoch; absent while it is heard of. The Directory says so. */
  readonly unreachableSince?: number;
  /** Since when it is replaced though its agent may return, ms since the epoch (Marathon §16.5). */
  readonly inactiveSince?: number;
  /** When it was given up with its agent, ms since the epoch: it counts nowhere any more, and ends should the agent return. */
  readonly expungedAt?: number;
  /** It ends because something is wrong with it: its checks failed, or it was not started in time. */
  readonly fault?: 'unhealthy' | 'late';
  /** When it was ended for its health, ms since the epoch; absent if it never was healthy. */
  readonly turnedAt?: number;
};
