import { timestamp } from '../core/kit/clock.ts';
import { WeirError } from '../core/kit/errors.ts';
import type { App } from '../core/model/app.ts';
import type { Deployment } from '../core/model/deployment.ts';
import type { AppId, Version } from '../core/model/ids.ts';
import { allocate, inVipRange, type VipRange } from '../core/model/vip-address.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';
import { type AddressRecord, versionKey } from '../core/state/tables.ts';
import { addressNames, hashedName } from '../core/state/vip-claims.ts';
import { changeOf, plan, type Root } from './plan.ts';

/** The root somebody wants. Apps in `restarted` get a new version even if nothing of them differs. */
export type WantedRoot = {
  readonly after: Root;
  readonly restarted?: readonly AppId[];
  readonly sentenced?: readonly string[];
};

export type RootPlan =
  | { readonly kind: 'locked'; readonly deployments: readonly string[] }
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
};

/** A released address is not given to another name for this long: longer than any answer or flow that still names it. */
const quarantineMs = 10 * 60_000;

export class VirtualAddressesExhausted extends WeirError {
  constructor(name: string) {
    super(
      'WEIR_VIP_RANGE_FULL',
      `Cannot give ${name} a virtual address: every address of the range is taken`,
      {
        next: 'Delete apps that are not needed, or start the master with a larger --vip-range.',
      },
    );
  }
}

/** Pure: everything one change of the root writes, in one commit (Marathon §15.1). */
export function planRoot(snapshot: Snapshot, wanted: WantedRoot, options: RootPlanOptions): RootPlan {
  const before = snapshot.table('apps');
  const after = stamped(before, wanted, options.version);
  const steps = plan(before, after);
  const affectedApps = [...new Set(steps.flatMap((step) => step.actions.map((action) => action.app)))];
  const running = [...snapshot.table('deployments').values()];
  const conflicting = running.filter((deployment) =>
    deployment.affectedApps.some((app) => affectedApps.includes(app)),
  );
  if (conflicting.length > 0 && !options.force)
    return { kind: 'locked', deployments: conflicting.map((d) => d.id) };
  const deployment: Deployment = {
    id: options.deploymentId,
    version: options.version,
    steps,
    step: 0,
    affectedApps,
    originals: Object.fromEntries(affectedApps.map((id) => [id, before.get(id) ?? null])),
    ...(wanted.sentenced === undefined ? {} : { sentenced: wanted.sentenced }),
    startedAt: options.now,
  };
  const writes = [
    ...affectedApps.flatMap((id) => appWrites(id, before.get(id), after.get(id))),
    ...addressWrites(snapshot.table('addresses'), after, options),
    ...conflicting.map((old): Write => ({ kind: 'delete', table: 'deployments', key: old.id })),
    { kind: 'put', table: 'deployments', key: deployment.id, value: deployment } satisfies Write,
  ];
  return { kind: 'planned', deployment, cancelled: conflicting, writes };
}

/** Versions are unique: if the clock did not advance, the previous one plus a millisecond (Marathon §1.4). */
export function nextVersion(now: number, apps: Root): Version {
  let newest = 0;
  for (const app of apps.values()) newest = Math.max(newest, Date.parse(app.version));
  return timestamp(Math.max(now, newest + 1));
}

function stamped(before: Root, wanted: WantedRoot, version: Version): Root {
  return new Map(
    [...wanted.after].map(([id, app]) => [
      id,
      stamp(before.get(id), app, version, wanted.restarted?.includes(id) ?? false),
    ]),
  );
}

function stamp(before: App | undefined, app: App, version: Version, restarted: boolean): App {
  if (before === app && !restarted) return app;
  if (before === undefined)
    return { ...app, version, versionInfo: { lastScalingAt: version, lastConfigChangeAt: version } };
  if (restarted || configText(before) !== configText(app)) {
    const lastScalingAt = restarted ? before.versionInfo.lastScalingAt : version;
    return { ...app, version, versionInfo: { lastScalingAt, lastConfigChangeAt: version } };
  }
  if (before.instances === app.instances) return before;
  return { ...app, version, versionInfo: { ...before.versionInfo, lastScalingAt: version } };
}

/** Everything of an app that makes running instances outdated when it changes, in a form that compares. */
function configText(app: App): string {
  const { instances: _, version: __, versionInfo: ___, ...config } = app;
  return JSON.stringify(config, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

function appWrites(id: AppId, before: App | undefined, after: App | undefined): readonly Write[] {
  if (after === undefined) return [{ kind: 'delete', table: 'apps', key: id }];
  const writes: Write[] = [
    { kind: 'put', table: 'apps', key: id, value: after },
    { kind: 'put', table: 'versions', key: versionKey(id, after.version), value: after },
  ];
  const fresh = changeOf(before, after) === 'config';
  return fresh ? [...writes, { kind: 'delete', table: 'backoffs', key: id }] : writes;
}

function addressWrites(
  records: ReadonlyMap<string, AddressRecord>,
  after: Root,
  { now, vipRange }: RootPlanOptions,
): readonly Write[] {
  const names = new Set([...after.values()].flatMap(addressNames));
  const kept = [...records.values()].filter((record) => inVipRange(vipRange, record.address));
  const taken = new Set(
    kept
      .filter((record) => record.releasedAt === undefined || now - record.releasedAt < quarantineMs)
      .map((r) => r.address),
  );
  const writes: Write[] = [];
  const put = (record: AddressRecord) =>
    writes.push({ kind: 'put', table: 'addresses', key: record.name, value: record });
  for (const name of names) {
    const known = kept.find((record) => record.name === name);
    if (known !== undefined && (known.releasedAt === undefined || taken.has(known.address))) {
      if (known.releasedAt !== undefined) put({ name, address: known.address });
      continue;
    }
    const address = allocate(hashedName(name), vipRange, taken);
    if (address === undefined) throw new VirtualAddressesExhausted(name);
    taken.add(address);
    put({ name, address });
  }
  for (const record of kept) {
    if (record.releasedAt === undefined && !names.has(record.name)) put({ ...record, releasedAt: now });
  }
  return writes;
}
