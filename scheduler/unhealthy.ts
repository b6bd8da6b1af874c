import { fatalFailures } from '../core/model/health-check.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Member } from './view.ts';

export type Fatal = { readonly cause: string; readonly wasHealthy: boolean };

/** Why an instance is to be ended for its health (Marathon §14.2), or undefined. Instances on silent agents never are. */
export function fatalOf({ placement, instance, reach, app }: Member): Fatal | undefined {
  if (placement.goal !== 'run' || reach !== 'present' || instance?.state.kind !== 'running') return undefined;
  for (const [index, result] of instance.state.health.entries()) {
    const check = app?.healthChecks[index];
    if (result === null || result.alive || check === undefined) continue;
    if (result.consecutiveFailures < fatalFailures(check)) continue;
    return { cause: result.lastFailureCause ?? 'it failed', wasHealthy: result.lastSuccess !== undefined };
  }
  return undefined;
}

/** Its end is the last failure of its app, though it is asked for. */
export function endedFor(member: Member, end: Pick<Placement, 'fault' | 'reason' | 'turnedAt'>): Member {
  return {
    ...member,
    ready: false,
    passed: false,
    placement: { ...member.placement, goal: 'stop', ...end },
  };
}

/**
 * When an instance that does not run yet is given up, ms since the epoch (Marathon §16.1); Infinity: it runs, or is to end
 * anyway. By this master's clock alone: that of an agent may be off.
 */
export function lateAt({ placement, instance, reach }: Member, launchTimeoutMs: number): number {
  if (placement.goal !== 'run' || reach !== 'present') return Number.POSITIVE_INFINITY;
  const isOnItsWay = instance === undefined || instance.state.kind === 'staging';
  return isOnItsWay ? placement.createdAt + launchTimeoutMs : Number.POSITIVE_INFINITY;
}
