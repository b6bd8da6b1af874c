import type { UpgradeStrategy } from '../core/model/app.ts';

/** Counts of one app's instances during a rolling replacement. */
export type Rolling = {
  /** Instances wanted at the end. */
  readonly target: number;
  /** Old configuration, goal run. */
  readonly oldRunning: number;
  /** Of these, taking traffic. */
  readonly oldReady: number;
  /** New configuration, goal run. */
  readonly started: number;
  /** Of these, taking traffic. */
  readonly newReady: number;
  /** Everything not yet reported ended: either configuration, whatever its goal. */
  readonly active: number;
};

export type RollingMove = { readonly start: number; readonly stop: number };

/** The bounds of Marathon §15.4: never fewer ready than `minHealthy`, never more active than `maxCapacity`. */
export function capacityBounds(
  target: number,
  ready: number,
  strategy: UpgradeStrategy,
): { minHealthy: number; maxCapacity: number } {
  const minHealthy = Math.ceil(target * strategy.minimumHealthCapacity);
  const maxCapacity = Math.floor(target * (1 + strategy.maximumOverCapacity));
  // Where all are ready and both are equal, neither a stop nor a start would be allowed: one extra is.
  const stuck = minHealthy === maxCapacity && maxCapacity <= ready;
  return { minHealthy, maxCapacity: stuck ? maxCapacity + 1 : maxCapacity };
}

/**
 * How many new instances to start and how many old ones to stop right now, those that do not serve first. Stated over the
 * present counts only, so that it gives the same answer after a restart of the master as before it.
 */
export function rollingMove(rolling: Rolling, strategy: UpgradeStrategy): RollingMove {
  const { target, oldRunning, oldReady, started, newReady, active } = rolling;
  const ready = oldReady + newReady;
  const { minHealthy, maxCapacity } = capacityBounds(target, ready, strategy);
  const room = Math.max(0, maxCapacity - active);
  const missing = Math.max(0, target - started);
  if (newReady >= target) return { start: 0, stop: oldRunning };
  // Old ones that do not serve make room: without this an app none of whose instances is healthy could never be mended.
  const leaving = active - oldRunning - started;
  const obstacles = Math.min(oldRunning - oldReady, Math.max(0, missing - room - leaving));
  const spare = Math.max(0, ready - minHealthy);
  return { start: Math.min(missing, room), stop: Math.min(oldRunning, Math.max(spare, obstacles)) };
}
