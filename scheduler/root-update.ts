import { timestamp } from '../core/kit/clock.ts';
import type { App } from '../core/model/app.ts';
import type { Groups } from '../core/model/dependencies.ts';
import type { Deployment, DeploymentStep } from '../core/model/deployment.ts';
import type { GroupSettings } from '../core/model/group.ts';
import type { AppId, Version } from '../core/model/ids.ts';
import type { VipRange } from '../core/model/vip-address.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';
import { versionKey } from '../core/state/tables.ts';
import { addressWrites, nameChanges } from './addresses.ts';
import { changeOf, plan, type Root } from './plan.ts';
import { allVersionWrites, oldVersionWrites } from './versions.ts';
import { configOf, isCurrent } from './view.ts';

/** The root somebody wants. Apps in `restarted` get a new version even if nothing of them differs. */
export type WantedRoot = {
  readonly after: Root;
  readonly restarted?: readonly AppId[];
  readonly sentenced?: readonly string[];
  /** Every group there is to be, with what is said of it; absent: as they are. */
  readonly groups?: Groups;
  /** What belongs to the change and is to be stored with it, or not at all. */
  readonly alongside?: readonly Write[];
};

export type RootPlan =
  | { readonly kind: 'locked'; readonly deployments: readonly string[] }
  /** As many deployments as may be are on their way. */
  | { readonly kind: 'full'; readonly limit: number }
  | {
      readonly kind: 'planned';
      readonly deployment: Deployment;
      readonly cancelled: readonly Deployment[];
      readonly writes: readonly Write[];
    };

export type RootPlanOptions = {
  readonly force: boolean;
  readonly deploymentId: string;
  readonly version: Version;
  readonly now: number;
  readonly vipRange: VipRange;
  readonly vipRange6?: VipRange;
  readonly mostDeployments: number;
};

/** Pure: everything one change of the root writes, in one commit (Marathon §15.1). Throws VirtualAddressesExhausted. */
export function planRoot(snapshot: Snapshot, wanted: WantedRoot, options: RootPlanOptions): RootPlan {
  const before = snapshot.table('apps');
  const after = stamped(snapshot, wanted, options.version);
  const steps = stepsTo(snapshot, wanted, after);
  const affected = new Set(steps.flatMap((step) => step.actions.map((action) => action.app)));
  const affectedApps = [...affected];
  const running = [...snapshot.table('deployments').values()];
  const conflicting = running.filter((deployment) =>
    deployment.affectedApps.some((app) => affected.has(app)),
  );
  if (conflicting.length > 0 && !options.force)
    return { kind: 'locked', deployments: conflicting.map((d) => d.id) };
  if (running.length - conflicting.length >= options.mostDeployments)
    return { kind: 'full', limit: options.mostDeployments };
  const deployment: Deployment = {
    id: options.deploymentId,
    version: options.version,
    steps,
    step: 0,
    affectedApps,
    originals: Object.fromEntries(affectedApps.map((id) => [id, before.get(id) ?? null])),
    ...groupsBefore(snapshot, wanted.groups),
    ...(wanted.sentenced === undefined ? {} : { sentenced: wanted.sentenced }),
    startedAt: options.now,
  };
  const those = (root: Root) => affectedApps.flatMap((id) => root.get(id) ?? []);
  const names = nameChanges(snapshot, those(before), those(after));
  const writes = [
    ...affectedApps.flatMap((id) => appWrites(id, after.get(id), snapshot)),
    ...addressWrites(snapshot.table('addresses'), names, options),
    ...conflicting.map((old): Write => ({ kind: 'delete', table: 'deployments', key: old.id })),
    { kind: 'put', table: 'deployments', key: deployment.id, value: deployment } satisfies Write,
    ...(wanted.alongside ?? []),
  ];
  return { kind: 'planned', deployment, cancelled: conflicting, writes };
}

/** The steps that a change would take, were it made now: what a dry run shows. */
export function preview(snapshot: Snapshot, wanted: WantedRoot, version: Version): readonly DeploymentStep[] {
  return stepsTo(snapshot, wanted, stamped(snapshot, wanted, version));
}

function stepsTo(snapshot: Snapshot, { groups }: WantedRoot, after: Root): readonly DeploymentStep[] {
  return plan(snapshot.table('apps'), after, {
    groups: groups ?? snapshot.table('groups'),
    isMixed: (app) => isMixed(app, snapshot),
  });
}

/** Groups that are new or depend on other things now, as they were, for rolling back. */
function groupsBefore(snapshot: Snapshot, after: Groups = new Map()): Pick<Deployment, 'groups'> {
  const before = snapshot.table('groups');
  const text = (group: GroupSettings | undefined) => JSON.stringify(group?.dependencies ?? []);
  const changed = [...after.keys()].filter(
    (id) => !before.has(id) || text(before.get(id)) !== text(after.get(id)),
  );
  if (changed.length === 0) return {};
  return { groups: Object.fromEntries(changed.map((id) => [id, before.get(id) ?? null])) };
}

/** Versions grow, over deleted apps too: if the clock did not advance, the previous one plus a millisecond (Marathon §1.4). */
export function nextVersion(now: number, snapshot: Snapshot): Version {
  return timestamp(Math.max(now, Date.parse(snapshot.newestVersion) + 1));
}

function stamped(snapshot: Snapshot, wanted: WantedRoot, version: Version): Root {
  const again = new Set(wanted.restarted);
  return new Map(
    [...wanted.after].map(([id, app]) => [
      id,
      again.has(id) ? restarted(app, version) : stamp(app, version, snapshot),
    ]),
  );
}

function restarted(app: App, version: Version): App {
  return { ...app, version, versionInfo: { ...app.versionInfo, lastConfigChangeAt: version } };
}

/** Which of an app's versions count as changed now (Marathon §15.1). */
function stamp(app: App, version: Version, snapshot: Snapshot): App {
  const before = snapshot.table('apps').get(app.id);
  if (before === app) return app;
  if (before === undefined)
    return { ...app, version, versionInfo: { lastScalingAt: version, lastConfigChangeAt: version } };
  if (!isSameConfig(before, app)) {
    const lastConfigChangeAt = runningConfig(app, snapshot) ?? version;
    return { ...app, version, versionInfo: { lastScalingAt: version, lastConfigChangeAt } };
  }
  if (before.instances === app.instances) return before;
  return { ...app, version, versionInfo: { ...before.versionInfo, lastScalingAt: version } };
}

/**
 * The configuration of running instances that were launched with just this definition: a change that goes back keeps them
 * instead of replacing them by their like (Marathon §22).
 */
function runningConfig(app: App, snapshot: Snapshot): Version | undefined {
  const launched = snapshot
    .placementsOf(app.id)
    .filter((placement) => placement.goal === 'run')
    .flatMap(({ appVersion }) => snapshot.table('versions').get(versionKey(app.id, appVersion)) ?? []);
  return [...new Set(launched)]
    .filter((version) => isSameConfig(version, app))
    .map((version) => version.versionInfo.lastConfigChangeAt)
    .sort()
    .at(-1);
}

/** Whether everything is the same that makes running instances outdated when it changes. */
function isSameConfig(a: App, b: App): boolean {
  const same = { instances: 0, version: '', versionInfo: {} };
  return isSameJson({ ...a, ...same }, { ...b, ...same });
}

/** As JSON, whatever the order of its keys. */
function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [first, second] = [given(a), given(b)];
  return first.size === second.size && [...first].every(([key, value]) => isSameJson(value, second.get(key)));
}

function given(object: object): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(object).filter(([, value]) => value !== undefined));
}

function appWrites(id: AppId, after: App | undefined, snapshot: Snapshot): readonly Write[] {
  const before = snapshot.table('apps').get(id);
  if (after === undefined) return removedWrites(id, snapshot);
  const writes: Write[] = [
    ...oldVersionWrites(id, snapshot),
    { kind: 'put', table: 'apps', key: id, value: after },
    { kind: 'put', table: 'versions', key: versionKey(id, after.version), value: after },
  ];
  const delayed = changeOf(before, after) === 'config' && snapshot.table('backoffs').has(id);
  return delayed ? [...writes, { kind: 'delete', table: 'backoffs', key: id }] : writes;
}

/** Left half replaced by a cancelled deployment: scaling it also finishes the replacement. */
function isMixed(app: App, snapshot: Snapshot): boolean {
  return snapshot
    .placementsOf(app.id)
    .some(
      (placement) =>
        placement.goal === 'run' && !isCurrent({ config: configOf(placement, { snapshot }) }, app),
    );
}

/** What is still running keeps its versions until it is gone. */
function removedWrites(id: AppId, snapshot: Snapshot): readonly Write[] {
  const tables = ['apps', 'backoffs', 'failures'] as const;
  const known = tables.filter((table) => snapshot.table(table).has(id));
  return [
    ...known.map((table): Write => ({ kind: 'delete', table, key: id })),
    ...(snapshot.placementsOf(id).length === 0 ? allVersionWrites(id, snapshot) : []),
  ];
}
