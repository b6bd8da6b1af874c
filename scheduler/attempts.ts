import type { AppId } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Write } from '../core/state/store.ts';
import type { Waiting } from './decision.ts';
import type { RefusalReason } from './place.ts';

/**
 * What came of looking for agents since an app began to wait (Marathon §8.1): looking at one agent for one instance counts
 * as one offer.
 */
export type Attempt = {
  /** ms since the epoch, as all times here. */
  readonly since: number;
  readonly used: number;
  readonly lastUsedAt?: number;
  readonly unused: number;
  readonly lastUnusedAt?: number;
  /** How often agents refused, by their first reason. */
  readonly refused: ReadonlyMap<RefusalReason, number>;
};

/** Agents whose refusals are counted in one round: in a large cluster of which much waits, the rest is counted in later ones. */
const mostCounted = 10_000;

/** Keeps count beside the rounds; a new leader begins anew. */
export class Attempts {
  readonly #attempts = new Map<AppId, Attempt>();
  /** The last outcome that was counted of each app. */
  readonly #counted = new Map<AppId, Waiting>();

  get all(): ReadonlyMap<AppId, Attempt> {
    return this.#attempts;
  }

  /** After each round: what waits now, and what was launched. */
  note(waiting: ReadonlyMap<AppId, Waiting>, writes: readonly Write[], now: number): void {
    for (const app of this.#attempts.keys()) {
      if (waiting.has(app)) continue;
      this.#attempts.delete(app);
      this.#counted.delete(app);
    }
    for (const app of waiting.keys()) if (!this.#attempts.has(app)) this.#attempts.set(app, begun(now));
    for (const write of writes) this.#noteLaunch(write, now);
    this.#countRefusals(waiting, now);
  }

  #noteLaunch(write: Write, now: number): void {
    if (write.kind !== 'put' || write.table !== 'placements') return;
    const { appId, createdAt, goal } = write.value as Placement;
    const attempt = this.#attempts.get(appId);
    if (attempt === undefined || goal !== 'run' || createdAt !== now) return;
    this.#attempts.set(appId, { ...attempt, used: attempt.used + 1, lastUsedAt: now });
  }

  #countRefusals(waiting: ReadonlyMap<AppId, Waiting>, now: number): void {
    let left = mostCounted;
    for (const [app, outcome] of waiting) {
      if (outcome.kind !== 'no-agent' || this.#counted.get(app) === outcome) continue;
      if (left <= 0) return;
      this.#counted.set(app, outcome);
      const attempt = this.#attempts.get(app) ?? begun(now);
      const refused = new Map(attempt.refused);
      for (const { reason } of outcome.refusals) refused.set(reason, (refused.get(reason) ?? 0) + 1);
      const { length } = outcome.refusals;
      left -= length;
      const unused = attempt.unused + length;
      this.#attempts.set(app, { ...attempt, refused, unused, ...(length > 0 ? { lastUnusedAt: now } : {}) });
    }
  }
}

function begun(since: number): Attempt {
  return { since, used: 0, unused: 0, refused: new Map() };
}
