import type { UpgradeStrategy } from '../core/model/app.ts';

/** Counts of one app's instances during a rolling replacement. */
export type Rolling = {
  /** Instances wanted at the end. */
  readonly target: number;
  /** Old configuration, goal run, taking traffic. */
  readonly oldReady: number;
  /** Old configuration, goal run. */
  readonly oldRunning: number;
  /** Old configuration, not yet reported ended, whatever its goal. */
  readonly oldActive: number;
  /** New configuration, goal run. */
  readonly started: number;
  /** New configuration, goal run, taking traffic. */
  readonly newReady: number;
};

export type RollingMove = { readonly start: number; readonly stop: number };

/** The bounds of Marathon §15.4: never fewer ready than `minHealthy`, never more active than `maxCapacity`. */
export function capacityBounds(
  target: number,
  strategy: UpgradeStrategy,
): { minHealthy: number; maxCapacity: number } {
  const minHealthy = Math.ceil(target * strategy.minimumHealthCapacity);
  const maxCapacity = Math.floor(target * (1 + strategy.maximumOverCapacity));
  // Both equal would allow neither a kill nor a start; one extra is started even with maximumOverCapacity 0.
  return { minHealthy, maxCapacity: minHealthy === maxCapacity ? maxCapacity + 1 : maxCapacity };
}

/**
 * How many new instances to start and how many old ones to stop right now. Stated over the present counts only, so that
 * it gives the same answer after a restart of the master as before it.
 */
export function rollingMove(rolling: Rolling, strategy: UpgradeStrategy): RollingMove {
  const { minHealthy, maxCapacity } = capacityBounds(rolling.target, strategy);
  const room = Math.max(0, maxCapacity - rolling.oldActive - rolling.started);
  const start = Math.max(0, Math.min(rolling.target - rolling.started, room));
  if (rolling.newReady >= rolling.target) return { start, stop: rolling.oldRunning };
  const spare = Math.max(0, rolling.oldReady + rolling.newReady - minHealthy);
  return { start, stop: Math.min(spare, rolling.oldRunning) };
}
