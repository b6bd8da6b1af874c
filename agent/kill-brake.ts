import type { HealthCheck } from '../core/model/health-check.ts';
import type { AppId } from '../core/model/ids.ts';
import type { HealthResult } from '../core/model/instance.ts';
import type { InstanceRecord } from './record.ts';

export type BrakeLimits = {
  /** Fewer apps than this may always fail together. */
  readonly leastApps: number;
  /** Of the apps with health checks, 0..1. */
  readonly share: number;
  /**
   * An app counts only if it was healthy within this time and the one its check takes to give up: so the brake lets go by
   * itself.
   */
  readonly withinMs: number;
};

export const brakeLimits: BrakeLimits = { leastApps: 3, share: 0.5, withinMs: 600_000 };

/**
 * Why nothing should be ended for its health now, or undefined. When half of the apps of a machine turn unhealthy within
 * minutes, the fault is hardly in each of them but in what they share: the network, a service behind them, or whoever
 * probes. Ending them would only take away what still works. `failing` is about to be judged unhealthy. Apps that never
 * were healthy here do not count: a bad deployment is no such event.
 */
export function heldBack(
  records: Iterable<InstanceRecord>,
  failing: AppId,
  { now, limits = brakeLimits }: { readonly now: number; readonly limits?: BrakeLimits },
): string | undefined {
  const checked = new Set<AppId>();
  const turned = new Set<AppId>();
  for (const { assignment, state } of records) {
    if (state.kind !== 'running' || state.health.length === 0) continue;
    const { id } = assignment.app;
    checked.add(id);
    const has = state.health.some((result, index) => {
      const check = assignment.app.healthChecks[index];
      return hasTurned(result, id === failing, now - limits.withinMs - patienceMs(check));
    });
    if (has) turned.add(id);
  }
  const isMass = turned.size >= limits.leastApps && turned.size >= checked.size * limits.share;
  return isMass
    ? `${turned.size} of ${checked.size} apps on this machine turned unhealthy at about the same time`
    : undefined;
}

function hasTurned(result: HealthResult | null, isFailing: boolean, after: number): boolean {
  if (result === null || result.lastSuccess === undefined || result.lastSuccess < after) return false;
  return isFailing || !result.alive;
}

/** From the last success to the end. */
function patienceMs(check: HealthCheck | undefined): number {
  return check === undefined ? 0 : check.intervalSeconds * 1000 * (check.maxConsecutiveFailures + 1);
}
