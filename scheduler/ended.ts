import type { AppId } from '../core/model/ids.ts';
import type { Instance } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Write } from '../core/state/store.ts';
import { failureOf, grown, isForgotten } from './relaunch.ts';
import { instanceOf, type World } from './view.ts';

export type EndedDecision = {
  readonly writes: readonly Write[];
  /** The app may not launch before this, ms since the epoch; 0: no delay from this round. */
  readonly delayedUntil: number;
  readonly wakeAt: number;
};

/**
 * Instances that were reported ended are forgotten, with what there is to learn from them: a failure is recorded, and one
 * that nobody asked for delays the next launch. Several that end at once count as one failure (one delay per app).
 */
export function endedDecision(id: AppId, world: World): EndedDecision {
  const ended = world.snapshot.placementsOf(id).flatMap((placement) => {
    const instance = instanceOf(world, placement);
    return instance?.state.kind === 'ended' ? [{ placement, instance }] : [];
  });
  const writes: Write[] = ended.flatMap(({ placement }) => [
    { kind: 'delete', table: 'placements', key: placement.instanceId },
    { kind: 'delete', table: 'instances', key: placement.instanceId },
  ]);
  const failed = ended
    .flatMap(({ placement, instance }) => failureOf(placement, instance, hostOf(placement, world)) ?? [])
    .at(-1);
  if (failed !== undefined) writes.push({ kind: 'put', table: 'failures', key: id, value: failed });
  const delay = backoffDecision(id, world, ended.some(isUnasked));
  return { writes: [...writes, ...delay.writes], delayedUntil: delay.delayedUntil, wakeAt: delay.wakeAt };
}

/** An app is expected to run for ever: finishing well also delays (Marathon §16.2). */
function isUnasked({ placement, instance }: { placement: Placement; instance: Instance }): boolean {
  const state = instance.state;
  return placement.goal === 'run' && state.kind === 'ended' && state.how !== 'killed';
}

function backoffDecision(id: AppId, world: World, failed: boolean): EndedDecision {
  const app = world.snapshot.table('apps').get(id);
  const before = world.snapshot.table('backoffs').get(id);
  const drop: Write = { kind: 'delete', table: 'backoffs', key: id };
  const never = Number.POSITIVE_INFINITY;
  if (app === undefined)
    return { writes: before === undefined ? [] : [drop], delayedUntil: 0, wakeAt: never };
  if (failed) {
    const backoff = grown(before, app, world.now);
    return {
      writes: [{ kind: 'put', table: 'backoffs', key: id, value: backoff }],
      delayedUntil: backoff.until,
      wakeAt: backoff.until,
    };
  }
  if (before === undefined) return { writes: [], delayedUntil: 0, wakeAt: never };
  if (isForgotten(before, app, world.now)) return { writes: [drop], delayedUntil: 0, wakeAt: never };
  return { writes: [], delayedUntil: 0, wakeAt: never };
}

function hostOf(placement: Placement, world: World): string {
  return world.snapshot.table('agents').get(placement.agentId)?.hostname ?? placement.agentId;
}
