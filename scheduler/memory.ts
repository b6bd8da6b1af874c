import type { Deployment } from '../core/model/deployment.ts';
import { type AgentId, type AppId, appOfInstance, type InstanceId } from '../core/model/ids.ts';
import type { Instance } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Change } from '../core/state/store.ts';
import { type AgentView, sizesOf, viewOf } from './agent-view.ts';
import { type BrakeReport, brakes, type CheckedInstance, checkedInstances } from './brake.ts';
import type { Waiting } from './decision.ts';
import { Fleet } from './fleet/fleet.ts';
import { isUsable, lostAt } from './reach.ts';
import { type Part, partsOf } from './want.ts';
import type { World } from './world.ts';

/** What one round has to look at. */
export type Agenda = {
  /** Those left over first, the others sorted. */
  readonly apps: readonly AppId[];
  readonly deployments: readonly Deployment[];
  /** Reports without a placement, sorted. */
  readonly orphans: readonly InstanceId[];
  readonly parts: ReadonlyMap<AppId, Part>;
  /** Most agents are silent: then the fault is rather in how this master hears of them. */
  readonly isDeaf: boolean;
  /** When the next agent counts as lost if it stays silent, ms since the epoch. */
  readonly agentLostAt: number;
};

/** What of a placement decides where it holds resources, and which. */
type Place = Pick<Placement, 'agentId' | 'appId' | 'appVersion' | 'attempt'>;

/**
 * What a round may keep for the next one so that its work grows with what changed and not with the cluster: the fleet, and
 * which apps may come out differently now. Everything here follows from the tables and the presence of agents: a fresh one
 * leads to the same decisions, after looking at everything once.
 */
export class Memory {
  readonly fleet = new Fleet();
  readonly waiting = new Map<AppId, Waiting>();
  /** Apps whose action in the present step of their deployment is done. */
  readonly done = new Set<AppId>();
  /** Why instances are not ended for their health though they should be, by app and instance. */
  readonly held = new Map<AppId, Map<InstanceId, string>>();
  /** Apps with running instances that have health checks; of those in `#unchecked` it may be otherwise by now. */
  readonly #checked = new Map<AppId, readonly CheckedInstance[]>();
  readonly #unchecked = new Set<AppId>();
  readonly #due = new Map<AppId, number>();
  /** Apps whose drains may end with any acknowledgement. */
  readonly #draining = new Set<AppId>();
  readonly #places = new Map<InstanceId, Place>();
  /** Instances that were reported ended, with the attempt: they hold nothing. */
  readonly #ended = new Map<InstanceId, number>();
  readonly #deployments = new Map<string, Deployment>();
  readonly #lost = new Map<AgentId, boolean>();
  #lostCount = 0;
  #isDeaf = false;
  #parts: ReadonlyMap<AppId, Part> | undefined;
  #dirty = new Set<AppId>();
  #postponed: readonly AppId[] = [];
  #changedDeployments = new Set<string>();
  #orphans = new Set<InstanceId>();
  /** Agents of which less or more may be left. */
  #stale = new Set<AgentId>();
  #changedAgents = new Set<AgentId>();
  /** Agents that were heard of in a new way: one may be usable, or lost no more. */
  #heard = new Set<AgentId>();
  /** Before this no agent counts as lost that did not at the last look at all of them. */
  #nextLostAt = 0;
  #isFresh = true;

  /** Nothing happened since the last round that a round would have to look at. */
  get isQuiet(): boolean {
    const sets = [this.held, this.#dirty, this.#draining, this.#stale, this.#changedAgents, this.#orphans];
    return !this.#isFresh && sets.every((set) => set.size === 0);
  }

  /** A change of the tables, told once they have it. */
  note(change: Change): void {
    if (this.#isFresh) return;
    for (const { table, key, value } of change.records) {
      if (table === 'placements') this.#notePlacement(key, value as Placement | undefined);
      else if (table === 'instances') this.#noteInstance(key, value as Instance | undefined);
      else if (table === 'deployments') this.#noteDeployment(key, value as Deployment | undefined);
      else if (table === 'agents' || table === 'drains') this.#changedAgents.add(key);
      else if (table === 'versions') this.#dirty.add(key.slice(0, key.lastIndexOf('@')));
      else if (table === 'apps' || table === 'backoffs') this.#dirty.add(key);
    }
  }

  /** An agent was heard of, or its connection ended. */
  noteAgent(agent: AgentId): void {
    this.#heard.add(agent);
  }

  /** What this round has to look at; it counts as looked at. */
  begin(world: World): Agenda {
    if (this.#isFresh) this.#readAll(world);
    this.#parts ??= partsOf(world.snapshot);
    this.#takeChangedAgents(world);
    this.#watchAgents(world);
    this.#refreshAgents(world);
    for (const [app, at] of this.#due) if (at <= world.now) this.#dirty.add(app);
    for (const app of this.#draining) this.#dirty.add(app);
    for (const app of this.held.keys()) this.#dirty.add(app);
    for (const app of this.#dirty) this.#unchecked.add(app);
    const agenda = {
      apps: this.#inOrder().filter((id) => this.#isThere(id, world)),
      deployments: this.#deploymentsToStep(world),
      orphans: [...this.#orphans].filter((id) => isOrphan(id, world)).sort(),
      parts: this.#parts,
      isDeaf: this.#isDeaf,
      agentLostAt: this.#nextLostAt,
    };
    this.#dirty = new Set();
    this.#postponed = [];
    this.#changedDeployments = new Set();
    this.#orphans = new Set();
    return agenda;
  }

  /** These were not looked at: they come first in the next round. */
  postpone(apps: readonly AppId[]): void {
    this.#postponed = apps;
    for (const app of apps) this.#dirty.add(app);
  }

  get hasPostponed(): boolean {
    return this.#postponed.length > 0;
  }

  #inOrder(): readonly AppId[] {
    const first = new Set(this.#postponed);
    return [...first, ...[...this.#dirty].filter((id) => !first.has(id)).sort()];
  }

  /** An app is looked at: what was known of it counts no more. */
  reconsider(app: AppId): void {
    this.waiting.delete(app);
    this.#due.delete(app);
    this.#draining.delete(app);
    this.held.delete(app);
    this.done.delete(app);
  }

  /** The app comes out differently at this time, though nothing changes. */
  lookAgain(app: AppId, at: number): void {
    this.#due.set(app, Math.min(at, this.#due.get(app) ?? Number.POSITIVE_INFINITY));
  }

  watchDrain(app: AppId): void {
    this.#draining.add(app);
  }

  /** An instance is not ended for its health, for this reason. */
  hold(app: AppId, instance: InstanceId, reason: string): void {
    const held = this.held.get(app) ?? new Map<InstanceId, string>();
    this.held.set(app, held.set(instance, reason));
  }

  /** None while the operator has switched the brake off. */
  brakes(world: World): readonly BrakeReport[] {
    if (world.snapshot.table('settings').get('health-brake')?.mode === 'off') return [];
    for (const app of this.#unchecked) this.#noteHealth(app, world);
    this.#unchecked.clear();
    return brakes(this.#checked, world);
  }

  #noteHealth(app: AppId, world: World): void {
    const checked = checkedInstances(app, world);
    if (checked.length === 0) this.#checked.delete(app);
    else this.#checked.set(app, checked);
  }

  /** An instance was placed that is not in the tables yet; the fleet has it already. */
  placed(placement: Placement): void {
    this.#places.set(placement.instanceId, placeOf(placement));
  }

  get nextDue(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const at of this.#due.values()) next = Math.min(next, at);
    return next;
  }

  #readAll({ snapshot }: World): void {
    this.#isFresh = false;
    for (const id of snapshot.table('agents').keys()) this.#stale.add(id);
    for (const id of snapshot.table('apps').keys()) this.#dirty.add(id);
    for (const [id, placement] of snapshot.table('placements')) this.#notePlacement(id, placement);
    for (const [id, instance] of snapshot.table('instances')) {
      this.#orphans.add(id);
      if (instance.state.kind === 'ended') this.#ended.set(id, instance.attempt);
    }
    for (const [id, deployment] of snapshot.table('deployments')) this.#noteDeployment(id, deployment);
  }

  #notePlacement(id: InstanceId, after: Placement | undefined): void {
    const before = this.#places.get(id);
    const holdsOther = !isSamePlace(before, after);
    for (const place of [before, after]) {
      if (place === undefined) continue;
      if (holdsOther) this.#stale.add(place.agentId);
      this.#dirty.add(place.appId);
    }
    if (after !== undefined) {
      if (holdsOther) this.#places.set(id, placeOf(after));
    } else {
      this.#places.delete(id);
      this.#orphans.add(id);
    }
  }

  #noteInstance(id: InstanceId, after: Instance | undefined): void {
    const place = this.#places.get(id);
    const hasEnded = this.#noteEnd(id, after?.state.kind === 'ended' ? after.attempt : undefined);
    if (place !== undefined) {
      if (hasEnded) this.#stale.add(place.agentId);
    } else if (after !== undefined) this.#orphans.add(id);
    const app = place?.appId ?? appOfInstance(id);
    if (app !== undefined) this.#dirty.add(app);
  }

  /** True: it is another attempt that has ended, or none any more. */
  #noteEnd(id: InstanceId, attempt: number | undefined): boolean {
    if (this.#ended.get(id) === attempt) return false;
    if (attempt === undefined) this.#ended.delete(id);
    else this.#ended.set(id, attempt);
    return true;
  }

  #noteDeployment(id: string, after: Deployment | undefined): void {
    this.#parts = undefined;
    this.#changedDeployments.add(id);
    for (const deployment of [this.#deployments.get(id), after])
      for (const app of deployment?.affectedApps ?? []) this.#dirty.add(app);
    if (after === undefined) this.#deployments.delete(id);
    else this.#deployments.set(id, after);
  }

  /** Their attributes may differ, they may have to become empty, and what was on a removed one is over. */
  #takeChangedAgents(world: World): void {
    for (const id of this.#changedAgents) {
      this.#stale.add(id);
      this.#heard.add(id);
      this.#dirtyAppsOn(id, world);
      if (!world.snapshot.table('agents').has(id)) this.#setLost(id, undefined);
    }
    this.#changedAgents = new Set();
  }

  /** Agents that fell silent or came back since the last round. All are looked at only when one may have fallen silent. */
  #watchAgents(world: World): void {
    const agents = world.snapshot.table('agents');
    if (world.now >= this.#nextLostAt) {
      this.#nextLostAt = Number.POSITIVE_INFINITY;
      for (const id of agents.keys()) this.#watchAgent(id, world);
    } else for (const id of this.#heard) if (agents.has(id)) this.#watchAgent(id, world);
    this.#heard = new Set();
    this.#judgeHearing(world);
  }

  #watchAgent(id: AgentId, world: World): void {
    const at = lostAt(world, id);
    const isLost = world.now >= at;
    if (!isLost) this.#nextLostAt = Math.min(this.#nextLostAt, at);
    if (this.#lost.get(id) !== isLost) this.#dirtyAppsOn(id, world);
    this.#setLost(id, isLost);
    if (isUsable(world, id) !== (this.fleet.view(id) !== undefined)) this.#stale.add(id);
  }

  #setLost(id: AgentId, isLost: boolean | undefined): void {
    if (this.#lost.get(id) === true) this.#lostCount -= 1;
    if (isLost === undefined) this.#lost.delete(id);
    else this.#lost.set(id, isLost);
    if (isLost === true) this.#lostCount += 1;
  }

  #judgeHearing(world: World): void {
    const isDeaf = this.#lostCount > this.#lost.size / 2;
    if (isDeaf === this.#isDeaf) return;
    this.#isDeaf = isDeaf;
    for (const [id, isLost] of this.#lost) if (isLost) this.#dirtyAppsOn(id, world);
  }

  #dirtyAppsOn(agent: AgentId, { snapshot }: World): void {
    for (const { appId } of snapshot.placementsOn(agent)) this.#dirty.add(appId);
  }

  /** Apps that wait for an agent are tried again only when one has more to give than before. */
  #refreshAgents(world: World): void {
    let hasGrown = false;
    const known = {
      sizes: sizesOf(world),
      hasEnded: ({ instanceId, attempt }: Placement) => this.#ended.get(instanceId) === attempt,
    };
    for (const id of this.#stale) {
      const before = this.fleet.view(id);
      const after = isUsable(world, id) ? viewOf(id, world, known) : undefined;
      if (after === undefined) this.fleet.drop(id);
      else this.fleet.set(after);
      if (after !== undefined && (before === undefined || givesMore(after, before))) hasGrown = true;
    }
    this.#stale = new Set();
    if (!hasGrown) return;
    for (const [app, { kind }] of this.waiting) if (kind === 'no-agent') this.#dirty.add(app);
  }

  /** An app of which nothing is left is no concern of a round. */
  #isThere(id: AppId, { snapshot }: World): boolean {
    if (snapshot.table('apps').has(id) || snapshot.placementsOf(id).length > 0) return true;
    this.reconsider(id);
    return false;
  }

  #deploymentsToStep({ snapshot }: World): readonly Deployment[] {
    const isAffected = ({ id, affectedApps }: Deployment) =>
      this.#changedDeployments.has(id) || affectedApps.some((app) => this.#dirty.has(app));
    return [...snapshot.table('deployments').values()].filter(isAffected);
  }
}

function isOrphan(id: InstanceId, { snapshot }: World): boolean {
  return snapshot.table('instances').has(id) && !snapshot.table('placements').has(id);
}

function placeOf({ agentId, appId, appVersion, attempt }: Placement): Place {
  return { agentId, appId, appVersion, attempt };
}

function isSamePlace(before: Place | undefined, after: Place | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  const isThere = before.agentId === after.agentId && before.appId === after.appId;
  return isThere && before.appVersion === after.appVersion && before.attempt === after.attempt;
}

function givesMore(after: AgentView, before: AgentView): boolean {
  if (after.agent !== before.agent) return true;
  const kinds = ['cpus', 'mem', 'disk', 'gpus'] as const;
  if (kinds.some((kind) => after.free[kind] > before.free[kind])) return true;
  for (const port of before.takenPorts) if (!after.takenPorts.has(port)) return true;
  return false;
}
