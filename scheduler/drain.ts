import type { Agent } from '../core/model/agent.ts';
import type { Placement } from '../core/model/placement.ts';
import { isLost } from './reach.ts';
import type { World } from './world.ts';

export type DrainVerdict =
  | { readonly kind: 'over'; readonly reason: string }
  | { readonly kind: 'wait'; readonly until: number; readonly reason: string };

/**
 * Whether a draining instance may be stopped (house §5): every consumer on every agent has a Directory without it in
 * force and none of them carries a request to it any more, or the bound has passed.
 */
export function drainVerdict(placement: Placement, world: World): DrainVerdict {
  const until = (placement.drainingSince ?? placement.createdAt) + world.limits.drainLimitMs;
  if (world.now >= until) return { kind: 'over', reason: 'drain limit reached' };
  if (!world.limits.waitForAcks) return { kind: 'over', reason: 'acknowledgements are switched off' };
  const absent = world.absentSince(placement.instanceId);
  if (absent === undefined) return { kind: 'wait', until, reason: 'still in the Directory' };
  for (const agent of world.snapshot.table('agents').values()) {
    if (agent.consumers.length === 0) continue;
    const reason = isLost(world, agent.id) ? undefined : waitsFor(agent, placement, absent, world);
    if (reason !== undefined) return { kind: 'wait', until, reason };
  }
  return { kind: 'over', reason: 'drained' };
}

function waitsFor(agent: Agent, placement: Placement, absent: number, world: World): string | undefined {
  const presence = world.presence.get(agent.id);
  const behind = agent.consumers.find((consumer) => (presence?.acks[consumer] ?? 0) < absent);
  if (behind !== undefined) return `${behind} on ${agent.hostname} has not acknowledged revision ${absent}`;
  const carried = presence?.inFlight[placement.instanceId] ?? 0;
  return carried > 0 ? `${agent.hostname} still carries ${carried} requests to it` : undefined;
}
