import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../core/kit/clock.ts';
import type { Log } from '../core/kit/log.ts';
import { Loop } from '../core/kit/loop.ts';
import type { Part } from '../core/kit/part.ts';
import type { Deployment, DeploymentStep } from '../core/model/deployment.ts';
import type { AgentId, AppId, InstanceId, Version } from '../core/model/ids.ts';
import type { VipRange } from '../core/model/vip-address.ts';
import type { Database } from '../core/state/database.ts';
import type { EventBus } from '../core/state/event-bus.ts';
import type { Presence } from '../core/state/presence.ts';
import type { DirectoryPublisher } from '../core/state/publisher.ts';
import type { Change } from '../core/state/store.ts';
import { type Attempt, Attempts } from './attempts.ts';
import type { BrakeReport } from './brake.ts';
import { decide } from './decide.ts';
import type { Waiting } from './decision.ts';
import { Memory } from './memory.ts';
import type { Root } from './plan.ts';
import { lostAt } from './reach.ts';
import { retired } from './retire.ts';
import { nextVersion, planRoot, preview, type RootPlan, type WantedRoot } from './root-update.ts';
import { Turns } from './turns.ts';
import { isOver, memberOf, putPlacement } from './view.ts';
import { type Wait, waitsOf } from './waits.ts';
import type { Limits, World } from './world.ts';

export type SchedulerDependencies = {
  readonly database: Database;
  readonly presence: Presence;
  readonly publisher: DirectoryPublisher;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Log;
  readonly uuid: () => string;
  readonly random: () => number;
};

export type SchedulerOptions = {
  readonly limits: Limits;
  readonly vipRange: VipRange;
  /** With it names have IPv6 addresses too. */
  readonly vipRange6?: VipRange;
  /** So many deployments may be on their way at once (Marathon §15.6). */
  readonly mostDeployments: number;
};

export type UpdateResult =
  | Extract<RootPlan, { kind: 'locked' | 'full' }>
  | { readonly kind: 'accepted'; readonly deploymentId: string; readonly version: Version };

/** Who put which apps, for those who follow along. */
export type Posted = { readonly apps: readonly AppId[]; readonly clientIp: string; readonly uri: string };

/** What a mutation of the root comes to: a root to go to, or the caller's own refusal. */
export type Mutation<R> =
  | { readonly kind: 'change'; readonly wanted: WantedRoot; readonly posted?: Posted }
  | { readonly kind: 'refused'; readonly refusal: R };

export type HealthBrake = {
  readonly brakes: readonly BrakeReport[];
  /** Why each of them is not ended, by app and instance. */
  readonly held: ReadonlyMap<AppId, ReadonlyMap<InstanceId, string>>;
};

/** So often everything is looked at, whatever changed: as often as Marathon compares all apps with their targets (§20). */
const wholeRoundMs = 300_000;
/** A round takes some milliseconds at most, so that what happens meanwhile is not told late. */
const roundLimit = { writes: 250, apps: 100 };
/** A wake-up this late is no ordinary load. */
const latenessMs = 2_000;

/** The leader's loop: woken by any change of the tables or of what agents report, it decides and commits until nothing is left to do. */
export class Scheduler implements Part {
  readonly #dependencies: SchedulerDependencies;
  readonly #options: SchedulerOptions;
  readonly #loop: Loop;
  readonly #turns = new Turns();
  #leadingSince = 0;
  /** When the next round is due though nothing changes; Infinity: never. */
  #dueAt = Number.POSITIVE_INFINITY;
  /** What the timer that runs is set to. */
  #wakingAt: number | undefined;
  #memory = new Memory();
  #brakes: readonly BrakeReport[] = [];
  /** Of the last round that was stored: a wait is seen together with the failure that it follows. */
  #waiting: ReadonlyMap<AppId, Waiting> = new Map();
  readonly #attempts = new Attempts();
  /** When the memory is to be forgotten, so that a round looks at everything. */
  #wholeAt = 0;
  #wakeUp = new AbortController();
  #ends: (() => void)[] = [];

  constructor(dependencies: SchedulerDependencies, options: SchedulerOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
    const { clock, log } = dependencies;
    this.#loop = new Loop(() => this.#turns.take(() => this.#round()), { name: 'scheduler', clock, log });
  }

  async start(): Promise<void> {
    const { database, presence, clock } = this.#dependencies;
    this.#leadingSince = clock.now();
    this.#dueAt = Number.POSITIVE_INFINITY;
    const wake = () => this.#loop.wake();
    const note = (change: Change) => {
      this.#memory.note(change);
      wake();
    };
    const hear = (agent: AgentId) => {
      this.#memory.noteAgent(agent);
      wake();
    };
    this.#wholeAt = 0;
    this.#waiting = new Map();
    this.#ends = [database.onChange(note), presence.onChange(hear)];
    await this.#loop.start();
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) end();
    await this.#loop.stop();
    await this.#turns.idle();
    // Last, for a round that was under way has set it anew.
    this.#wakeUp.abort();
  }

  /** Why apps wait, as of the last round. */
  get waiting(): ReadonlyMap<AppId, Waiting> {
    return this.#waiting;
  }

  /** What came of looking for agents, of apps that wait. */
  get attempts(): ReadonlyMap<AppId, Attempt> {
    return this.#attempts.all;
  }

  /** What each instance of an app waits for, those not launched yet included, as of now. */
  waitsOf(app: AppId): readonly Wait[] {
    const held = this.#memory.held.get(app);
    return waitsOf(app, this.#world(), { waiting: this.#waiting.get(app), held });
  }

  /** Since when an agent is silent, and when it counts as lost; all ms since the epoch. */
  silenceOf(agent: AgentId): { readonly isLost: boolean; readonly since: number; readonly lostAt: number } {
    const world = this.#world();
    const at = lostAt(world, agent);
    return { isLost: world.now >= at, since: at - world.limits.agentLostMs, lostAt: at };
  }

  /** What is not ended for its health, as of the last round. */
  get healthBrake(): HealthBrake {
    return { brakes: this.#brakes, held: this.#memory.held };
  }

  /**
   * Changes the root under one lock: `mutate` sees the present root and says what it should be; definitions, addresses
   * and the deployment are stored in one commit. Throws VirtualAddressesExhausted, StoreUnavailable.
   */
  update<R>(
    mutate: (root: Root, version: Version) => Mutation<R>,
    force: boolean,
  ): Promise<UpdateResult | { kind: 'refused'; refusal: R }> {
    return this.#turns.take(() => this.#update(mutate, force));
  }

  /** The steps that the same call of `update` would begin now. Nothing is stored. */
  async preview<R>(
    mutate: (root: Root, version: Version) => Mutation<R>,
  ): Promise<{ kind: 'steps'; steps: readonly DeploymentStep[] } | { kind: 'refused'; refusal: R }> {
    const { snapshot } = this.#dependencies.database;
    const version = nextVersion(this.#dependencies.clock.now(), snapshot);
    const mutation = mutate(snapshot.table('apps'), version);
    if (mutation.kind === 'refused') return mutation;
    return { kind: 'steps', steps: preview(snapshot, mutation.wanted, version) };
  }

  /** Ends instances now (with a drain if they serve); replacements start as the definition says. Unknown ids are left out of the answer. */
  kill(ids: readonly InstanceId[], reason: string): Promise<readonly InstanceId[]> {
    return this.#turns.take(async () => {
      const world = this.#world();
      const known = ids
        .flatMap((id) => world.snapshot.table('placements').get(id) ?? [])
        .filter((placement) => !isOver(placement, world));
      const writes = known
        .filter((placement) => placement.goal === 'run')
        .map((placement) => putPlacement(retired(memberOf(placement, world), reason, world.now)));
      await this.#dependencies.database.commit(writes);
      return known.map((placement) => placement.instanceId);
    });
  }

  /** Cancels a deployment and leaves everything as it is. False: there is no such deployment. */
  abandon(id: string): Promise<boolean> {
    return this.#turns.take(async () => {
      const { database } = this.#dependencies;
      const deployment = database.snapshot.table('deployments').get(id);
      if (deployment === undefined) return false;
      await database.commit([{ kind: 'delete', table: 'deployments', key: id }]);
      this.#fail(deployment);
      return true;
    });
  }

  async #update<R>(
    mutate: (root: Root, version: Version) => Mutation<R>,
    force: boolean,
  ): Promise<UpdateResult | { kind: 'refused'; refusal: R }> {
    const { database, clock, uuid, events } = this.#dependencies;
    const root = database.snapshot.table('apps');
    const version = nextVersion(clock.now(), database.snapshot);
    const mutation = mutate(root, version);
    if (mutation.kind === 'refused') return mutation;
    const planned = planRoot(database.snapshot, mutation.wanted, {
      force,
      version,
      deploymentId: uuid(),
      now: clock.now(),
      vipRange: this.#options.vipRange,
      ...(this.#options.vipRange6 === undefined ? {} : { vipRange6: this.#options.vipRange6 }),
      mostDeployments: this.#options.mostDeployments,
    });
    if (planned.kind !== 'planned') return planned;
    await database.commit(planned.writes);
    this.#tell(mutation.posted);
    for (const cancelled of planned.cancelled) this.#fail(cancelled);
    events.emit({ kind: 'root-changed', version });
    events.emit({ kind: 'deployment-step', deployment: planned.deployment });
    return { kind: 'accepted', deploymentId: planned.deployment.id, version };
  }

  #tell({ apps, ...from }: Posted = { apps: [], clientIp: '', uri: '' }): void {
    const { database, events } = this.#dependencies;
    for (const app of apps.flatMap((id) => database.snapshot.table('apps').get(id) ?? []))
      events.emit({ kind: 'app-posted', app, ...from });
  }

  #fail(deployment: Deployment): void {
    this.#dependencies.events.emit({
      kind: 'deployment-failed',
      deployment,
      reason: 'The upgrade has been cancelled',
    });
  }

  async #round(): Promise<void> {
    const { database, events } = this.#dependencies;
    this.#forgiveSleep();
    const world = this.#world();
    const isSpare = this.#forgetAt(world.now);
    try {
      const decision = decide(world, this.#memory, roundLimit);
      if (isSpare && decision.writes.length > 0) this.#missed(decision.writes.length);
      if (decision.writes.length > 0) await database.commit(decision.writes);
      for (const event of decision.events) events.emit(event);
      this.#noteBrakes(decision.brakes);
      this.#waiting = new Map(decision.waiting);
      this.#attempts.note(decision.waiting, decision.writes, world.now);
      this.#wakeBy(decision.wakeAt);
    } catch (error) {
      // What was decided is not true: the next round starts from the tables again.
      this.#memory = new Memory();
      throw error;
    }
  }

  /** Forgets what is remembered when its time is over. True: by its own account nothing was to be done. */
  #forgetAt(now: number): boolean {
    if (now < this.#wholeAt) return false;
    const isSpare = this.#wholeAt > 0 && this.#memory.isQuiet && this.#memory.nextDue > now;
    this.#memory = new Memory();
    this.#wholeAt = now + wholeRoundMs;
    return isSpare;
  }

  #noteBrakes(brakes: readonly BrakeReport[]): void {
    const { log, events } = this.#dependencies;
    const isSame = isDeepStrictEqual(
      brakes.map(({ scope }) => scope),
      this.#brakes.map(({ scope }) => scope),
    );
    this.#brakes = brakes;
    if (isSame) return;
    const reasons = brakes.map(({ reason }) => reason);
    if (reasons.length > 0) log.warn('unhealthy instances are not ended', { reasons });
    else log.info('unhealthy instances are ended again');
    events.emit({ kind: 'health-brake', reasons });
  }

  #missed(writes: number): void {
    this.#dependencies.log.warn('scheduler: looking at everything found work that no change announced', {
      writes,
    });
  }

  /** A round that comes late means that this machine was asleep: it could hear no agent, so none is judged by its silence. */
  #forgiveSleep(): void {
    const now = this.#dependencies.clock.now();
    if (now > this.#dueAt + latenessMs) this.#leadingSince = now;
  }

  #wakeBy(at: number): void {
    const { clock } = this.#dependencies;
    const dueAt = Math.min(at, this.#wholeAt);
    if (dueAt === this.#wakingAt && !this.#wakeUp.signal.aborted) return;
    this.#wakeUp.abort();
    this.#wakeUp = new AbortController();
    this.#dueAt = dueAt;
    this.#wakingAt = dueAt;
    clock.sleep(Math.max(1, this.#dueAt - clock.now()), this.#wakeUp.signal).then(
      () => {
        this.#wakingAt = undefined;
        this.#loop.wake();
      },
      () => {},
    );
  }

  #world(): World {
    const { database, presence, publisher, clock, uuid, random } = this.#dependencies;
    return {
      snapshot: database.snapshot,
      presence: presence.agents,
      absentSince: (instance) => publisher.absentSince(instance),
      now: clock.now(),
      leadingSince: this.#leadingSince,
      uuid,
      random,
      limits: this.#options.limits,
    };
  }
}
