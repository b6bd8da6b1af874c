import type { App } from '../core/model/app.ts';
import type { AppId, Version } from '../core/model/ids.ts';
import { type Instance, isReady } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Write } from '../core/state/store.ts';
import { versionKey } from '../core/state/tables.ts';
import { isDraining, type Reach, reachOf } from './reach.ts';
import type { World } from './world.ts';

/** A placement that is not over, with what its agent says of it. */
export type Member = {
  readonly placement: Placement;
  readonly instance: Instance | undefined;
  /** The configuration it was launched with: `lastConfigChangeAt` of its version. */
  readonly config: Version;
  readonly reach: Reach;
  /** The version it was launched with; undefined where it is not kept any more. */
  readonly app: App | undefined;
  /** Takes traffic. What a lost agent said last does not count. */
  readonly ready: boolean;
  /** Ready, and its readiness check has passed: a deployment may count on it (Marathon §14.5). */
  readonly passed: boolean;
  /** Its agent is to become empty. */
  readonly leaving: boolean;
};

/** The instances of an app that are not over. */
export function membersOf(world: World, app: AppId): readonly Member[] {
  return world.snapshot
    .placementsOf(app)
    .filter((placement) => !isOver(placement, world))
    .map((placement) => memberOf(placement, world));
}

export function memberOf(placement: Placement, world: World): Member {
  const instance = instanceOf(world, placement);
  const reach = reachOf(placement, world);
  const app = versionOf(placement, world);
  const ready = reach === 'present' && instance !== undefined && isReady(instance);
  return {
    placement,
    instance,
    app,
    config: app?.versionInfo.lastConfigChangeAt ?? placement.appVersion,
    reach,
    leaving: isDraining(world, placement.agentId),
    ready,
    passed: ready && hasPassed(app, instance),
  };
}

/** Reported ended, or on an agent that was removed for good: nothing of it holds resources any more. */
export function isOver(placement: Placement, world: World): boolean {
  return (
    instanceOf(world, placement)?.state.kind === 'ended' ||
    !world.snapshot.table('agents').has(placement.agentId)
  );
}

/** What the agent says of this attempt; a report of an earlier attempt counts as nothing said yet. */
export function instanceOf(world: World, placement: Placement): Instance | undefined {
  const instance = world.snapshot.table('instances').get(placement.instanceId);
  return instance?.attempt === placement.attempt ? instance : undefined;
}

/** Launched with the configuration that is wanted now: scaling never makes an instance old (Marathon §15.1). */
export function isCurrent(member: Pick<Member, 'config'>, app: Pick<App, 'versionInfo'>): boolean {
  return member.config === app.versionInfo.lastConfigChangeAt;
}

export function configOf(placement: Placement, world: Pick<World, 'snapshot'>): Version {
  return versionOf(placement, world)?.versionInfo.lastConfigChangeAt ?? placement.appVersion;
}

function versionOf({ appId, appVersion }: Placement, { snapshot }: Pick<World, 'snapshot'>): App | undefined {
  return snapshot.table('versions').get(versionKey(appId, appVersion));
}

function hasPassed(app: App | undefined, { state }: Instance): boolean {
  if (app === undefined || app.readinessChecks.length === 0) return true;
  return state.kind === 'running' && state.readiness?.ready === true;
}

export function putPlacement(placement: Placement): Write {
  return { kind: 'put', table: 'placements', key: placement.instanceId, value: placement };
}
