import type { AppId } from '../core/model/ids.ts';
import type { MasterEvent } from '../core/state/event-bus.ts';
import type { Write } from '../core/state/store.ts';
import type { BrakeReport } from './brake.ts';
import type { Explanation } from './place.ts';

/** Why an app has fewer instances than it wants. */
export type Waiting =
  | { readonly kind: 'backoff'; readonly count: number; readonly until: number }
  | ({ readonly kind: 'no-agent'; readonly count: number } & Explanation);

export type Decision = {
  readonly writes: readonly Write[];
  /** Emitted once the writes are committed. */
  readonly events: readonly MasterEvent[];
  readonly waiting: ReadonlyMap<AppId, Waiting>;
  /** Where instances are not ended for their health, because too many apps fail at once; only while one would be. */
  readonly brakes: readonly BrakeReport[];
  /** When to decide again though nothing changed, ms since the epoch; Infinity: never. After `now` unless there are writes. */
  readonly wakeAt: number;
};
