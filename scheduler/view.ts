import type { App } from '../core/model/app.ts';
import type { AgentId, InstanceId } from '../core/model/ids.ts';
import { type Instance, isReady } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { AgentPresence } from '../core/state/presence.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';

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
  /** A drain waits for acknowledgements. Off only to prove that tests notice. */
  readonly waitForAcks: boolean;
};

/** A placement with what its agent says of it. */
export type Member = {
  readonly placement: Placement;
  readonly instance: Instance | undefined;
  readonly ready: boolean;
};

/** The instances of an app that have not been reported ended. */
export function membersOf(world: World, app: string): readonly Member[] {
  return world.snapshot.placementsOf(app).flatMap((placement) => {
    const instance = instanceOf(world, placement);
    if (instance?.state.kind === 'ended') return [];
    return [{ placement, instance, ready: instance !== undefined && isReady(instance) }];
  });
}

/** What the agent says of this attempt; a report of an earlier attempt counts as nothing said yet. */
export function instanceOf(world: World, placement: Placement): Instance | undefined {
  const instance = world.snapshot.table('instances').get(placement.instanceId);
  return instance?.attempt === placement.attempt ? instance : undefined;
}

/** Launched with the configuration that is wanted now: scaling never makes an instance old (Marathon §15.1). */
export function isCurrent(placement: Placement, app: App): boolean {
  return placement.appVersion >= app.versionInfo.lastConfigChangeAt;
}

export function lastHeard(world: World, agent: AgentId): number {
  return Math.max(world.presence.get(agent)?.lastHeard ?? 0, world.leadingSince);
}

/** ms since the epoch at which an agent that stays silent counts as lost; Infinity while it is connected. */
export function lostAt(world: World, agent: AgentId): number {
  return world.presence.get(agent)?.connected
    ? Number.POSITIVE_INFINITY
    : lastHeard(world, agent) + world.limits.agentLostMs;
}

export function isLost(world: World, agent: AgentId): boolean {
  return world.now >= lostAt(world, agent);
}

export function putPlacement(placement: Placement): Write {
  return { kind: 'put', table: 'placements', key: placement.instanceId, value: placement };
}
