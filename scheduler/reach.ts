import type { UnreachableStrategy } from '../core/model/app.ts';
import type { AgentId } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import type { World } from './world.ts';

/**
 * How far an instance can be counted on (Marathon §16.5). `present`: its agent is heard of. `unreachable`: its agent is
 * lost, the instance still counts. `inactive`: it is replaced, and counts again should the agent return. `expunged`: given
 * up, stopped should the agent return.
 */
export type Reach = 'present' | 'unreachable' | 'inactive' | 'expunged';

/** ms since the epoch at which an agent that stays silent counts as lost, even if its connection looks open. */
export function lostAt(world: World, agent: AgentId): number {
  const lastHeard = world.presence.get(agent)?.lastHeard ?? 0;
  return Math.max(lastHeard, world.leadingSince) + world.limits.agentLostMs;
}

export function isLost(world: World, agent: AgentId): boolean {
  return world.now >= lostAt(world, agent);
}

/** Whether an agent may be given new instances. */
export function isUsable(world: World, agent: AgentId): boolean {
  return world.presence.get(agent)?.connected === true && !isLost(world, agent) && !isDraining(world, agent);
}

/** The operator wants the agent empty. */
export function isDraining({ snapshot }: Pick<World, 'snapshot'>, agent: AgentId): boolean {
  return snapshot.table('drains').has(agent);
}

export function reachOf(placement: Placement, world: World): Reach {
  if (!isLost(world, placement.agentId)) return 'present';
  const { inactiveAt, expungeAt } = patience(placement, world);
  if (world.now >= expungeAt) return 'expunged';
  return world.now >= inactiveAt ? 'inactive' : 'unreachable';
}

/** When silence will next change an instance's reach, ms since the epoch; Infinity: never. */
export function reachChangesAt(placement: Placement, world: World): number {
  const { inactiveAt, expungeAt } = patience(placement, world);
  const ahead = [lostAt(world, placement.agentId), inactiveAt, expungeAt].filter((at) => at > world.now);
  return Math.min(Number.POSITIVE_INFINITY, ...ahead);
}

/** An instance that is to end anyway is waited for no longer. */
function patience(placement: Placement, world: World): { inactiveAt: number; expungeAt: number } {
  const at = lostAt(world, placement.agentId);
  const app = world.snapshot.table('apps').get(placement.appId);
  const strategy: UnreachableStrategy =
    app === undefined || placement.goal !== 'run' ? atOnce : app.unreachableStrategy;
  if (strategy === 'disabled')
    return { inactiveAt: Number.POSITIVE_INFINITY, expungeAt: Number.POSITIVE_INFINITY };
  return {
    inactiveAt: at + strategy.inactiveAfterSeconds * 1000,
    expungeAt: at + strategy.expungeAfterSeconds * 1000,
  };
}

const atOnce = { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 };
