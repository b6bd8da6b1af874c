import type { App } from '../core/model/app.ts';
import type { AppId } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Write } from '../core/state/store.ts';
import type { Backoff } from '../core/state/tables.ts';
import { failureOf, forgottenAt, goneOf, grown, rebased } from './relaunch.ts';
import { configOf, instanceOf, isCurrent, isOver, membersOf } from './view.ts';
import type { World } from './world.ts';

export type EndedDecision = {
  readonly writes: readonly Write[];
  /** Instances were forgotten. */
  readonly changed: boolean;
  /** The app may not launch before this, ms since the epoch; 0: it may now. */
  readonly launchableAt: number;
  /** When to look again, ms since the epoch. */
  readonly wakeAt: number;
};

/**
 * Instances that are over are forgotten, with what there is to learn from them: a failure is recorded, and one that nobody
 * asked for delays the next launch. Several that end at once count as one failure (one delay per app). `wanted` is the
 * definition that is in force now, undefined for a deleted app.
 */
export function endedDecision(id: AppId, wanted: App | undefined, world: World): EndedDecision {
  const over = world.snapshot.placementsOf(id).filter((placement) => isOver(placement, world));
  const forget = over.flatMap(({ instanceId }): Write[] => [
    { kind: 'delete', table: 'placements', key: instanceId },
    { kind: 'delete', table: 'instances', key: instanceId },
  ]);
  const delay = delayDecision(id, wanted, world, over);
  return {
    ...delay,
    changed: over.length > 0,
    writes: [...forget, ...(wanted === undefined ? [] : failureWrites(over, world)), ...delay.writes],
  };
}

function failureWrites(over: readonly Placement[], world: World): readonly Write[] {
  const failures = over.flatMap((placement) => {
    const agent = world.snapshot.table('agents').get(placement.agentId);
    if (agent === undefined) return goneOf(placement, world.now) ?? [];
    const instance = instanceOf(world, placement);
    return (instance && failureOf(placement, instance, agent.hostname)) ?? [];
  });
  const last = failures.sort((a, b) => a.at - b.at).at(-1);
  return last === undefined ? [] : [{ kind: 'put', table: 'failures', key: last.appId, value: last }];
}

type DelayDecision = Omit<EndedDecision, 'changed'>;

const never = Number.POSITIVE_INFINITY;

/** A delay counts for one configuration: failures of an older one do not hold back the one that replaces it. */
function delayDecision(
  id: AppId,
  app: App | undefined,
  world: World,
  over: readonly Placement[],
): DelayDecision {
  const stored = world.snapshot.table('backoffs').get(id);
  const drop: readonly Write[] = stored ? [{ kind: 'delete', table: 'backoffs', key: id }] : [];
  if (app === undefined) return { writes: drop, launchableAt: 0, wakeAt: never };
  const before = stored?.configVersion === app.versionInfo.lastConfigChangeAt ? stored : undefined;
  const failed = over.filter((placement) => endedUnasked(placement, world));
  if (failed.some((placement) => isCurrent({ config: configOf(placement, world) }, app)))
    return delayed(grown(before, app, world.now));
  if (before === undefined) return { writes: drop, launchableAt: 0, wakeAt: never };
  const members = membersOf(world, id);
  const at = forgottenAt(before, app, members);
  if (world.now > at) return { writes: drop, launchableAt: 0, wakeAt: never };
  return { writes: [], launchableAt: rebased(before, app, members), wakeAt: at + 1 };
}

function delayed(backoff: Backoff): DelayDecision {
  return {
    writes: [{ kind: 'put', table: 'backoffs', key: backoff.appId, value: backoff }],
    launchableAt: backoff.until,
    wakeAt: backoff.until,
  };
}

/** An app is expected to run for ever: finishing well also delays (Marathon §16.2). */
function endedUnasked(placement: Placement, world: World): boolean {
  const state = instanceOf(world, placement)?.state;
  return placement.goal === 'run' && state?.kind === 'ended' && state.how !== 'killed';
}
