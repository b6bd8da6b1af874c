import { fatalFailures, type HealthCheck } from '../core/model/health-check.ts';
import type { AgentId, AppId } from '../core/model/ids.ts';
import type { HealthResult } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import { versionKey } from '../core/state/tables.ts';
import { instanceOf } from './view.ts';
import type { World } from './world.ts';

/** An app's label that takes it out of the brake: its instances are always ended when their checks say so. */
export const brakeLabel = 'WEIR_HEALTH_BRAKE';

/** Fewer apps than this may always fail together. */
const leastApps = 3;
/** Of the apps with health checks: from this share on it is a mass. */
const massShare = 0.5;
/** An instance counts as turned if it was healthy within this time and the one its check takes to give up: so the brake lets go by itself. */
const withinMs = 600_000;

/** An instance with health checks: it runs, or was ended for its health not long ago. */
export type CheckedInstance = {
  readonly agentId: AgentId;
  /** Until when it counts as turned unhealthy, ms since the epoch; 0: it has not turned. */
  readonly turnedUntil: number;
};

/** The brake is on for an agent, or for the whole cluster. */
export type BrakeReport = {
  /** An agent's id, or `cluster`. */
  readonly scope: AgentId | 'cluster';
  readonly turned: number;
  readonly checked: number;
  /** For people: "3 of 4 apps on h1 turned unhealthy at about the same time". */
  readonly reason: string;
};

/** What an app's instances say of its health. Those on silent agents say nothing. */
export function checkedInstances(app: AppId, world: World): readonly CheckedInstance[] {
  const { snapshot } = world;
  const isChecked = snapshot.versionsOf(app).some(({ healthChecks }) => healthChecks.length > 0);
  const placed = isChecked
    ? snapshot.placementsOf(app).flatMap((placement) => checked(placement, world))
    : [];
  const failure = snapshot.table('failures').get(app);
  return failure?.turnedAt === undefined ? placed : [...placed, ended(failure, failure.turnedAt)];
}

function checked(placement: Placement, world: World): readonly CheckedInstance[] {
  const { appId, appVersion, agentId } = placement;
  if (placement.unreachableSince !== undefined || placement.expungedAt !== undefined) return [];
  if (placement.turnedAt !== undefined) return [ended(placement, placement.turnedAt)];
  const state = instanceOf(world, placement)?.state;
  if (state?.kind !== 'running' || state.health.length === 0 || placement.goal !== 'run') return [];
  const checks = world.snapshot.table('versions').get(versionKey(appId, appVersion))?.healthChecks;
  const turned = state.health.map((result, index) => turnedUntil(result, checks?.[index]));
  return [{ agentId, turnedUntil: Math.max(...turned) }];
}

/** One that is ended counts on: else ending the first few would hide that there are many. */
function ended({ agentId }: { readonly agentId: AgentId }, at: number): CheckedInstance {
  return { agentId, turnedUntil: at + withinMs };
}

/**
 * Where nothing should be ended for its health now. When half of the apps of a machine, or of the cluster, turn unhealthy
 * within minutes, the fault is hardly in each of them but in what they share: the network, a service behind them, or
 * whoever probes. Ending them would only take away what still works. Apps that never were healthy do not count: a bad
 * deployment is no such event. In the cluster an app has turned when half of its instances have.
 */
export function brakes(
  apps: ReadonlyMap<AppId, readonly CheckedInstance[]>,
  { now, snapshot }: Pick<World, 'now' | 'snapshot'>,
): readonly BrakeReport[] {
  const agents = new Map<AgentId, Tally>();
  const cluster = { checked: 0, turned: 0 };
  for (const instances of apps.values()) {
    const turned = instances.filter(({ turnedUntil }) => turnedUntil > now);
    count(cluster, turned.length >= instances.length / 2);
    const turnedOn = new Set(turned.map(({ agentId }) => agentId));
    for (const agentId of new Set(instances.map((instance) => instance.agentId))) {
      const tally = agents.get(agentId) ?? { checked: 0, turned: 0 };
      agents.set(agentId, tally);
      count(tally, turnedOn.has(agentId));
    }
  }
  const nameOf = (id: AgentId) => `on ${snapshot.table('agents').get(id)?.hostname ?? id}`;
  return [
    ...report('cluster', 'in the cluster', cluster),
    ...[...agents].sort(byId).flatMap(([id, tally]) => report(id, nameOf(id), tally)),
  ];
}

type Tally = { checked: number; turned: number };

function count(tally: Tally, hasTurned: boolean): void {
  tally.checked += 1;
  if (hasTurned) tally.turned += 1;
}

function report(scope: string, where: string, { checked, turned }: Tally): readonly BrakeReport[] {
  if (turned < leastApps || turned < checked * massShare) return [];
  const reason = `${turned} of ${checked} apps ${where} turned unhealthy at about the same time`;
  return [{ scope, checked, turned, reason }];
}

function turnedUntil(result: HealthResult | null, check: HealthCheck | undefined): number {
  if (result === null || result.alive || result.lastSuccess === undefined) return 0;
  return result.lastSuccess + withinMs + patienceMs(check);
}

/** From the last success to the end. */
function patienceMs(check: HealthCheck | undefined): number {
  if (check === undefined) return 0;
  const failures = fatalFailures(check);
  return Number.isFinite(failures) ? check.intervalSeconds * 1000 * failures : 0;
}

function byId([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
