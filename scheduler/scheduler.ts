import type { Clock } from '../core/kit/clock.ts';
import type { Log } from '../core/kit/log.ts';
import { Loop } from '../core/kit/loop.ts';
import type { Part } from '../core/kit/part.ts';
import type { Deployment } from '../core/model/deployment.ts';
import type { AppId, InstanceId, Version } from '../core/model/ids.ts';
import type { VipRange } from '../core/model/vip-address.ts';
import type { Database } from '../core/state/database.ts';
import type { EventBus } from '../core/state/event-bus.ts';
import type { Presence } from '../core/state/presence.ts';
import type { DirectoryPublisher } from '../core/state/publisher.ts';
import type { Write } from '../core/state/store.ts';
import { type Decision, decide, type Waiting } from './decide.ts';
import type { Root } from './plan.ts';
import { nextVersion, planRoot, type WantedRoot } from './root-update.ts';
import { instanceOf, type Limits, putPlacement, type World } from './view.ts';

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

export type SchedulerOptions = { readonly limits: Limits; readonly vipRange: VipRange };

export type UpdateResult =
  | { readonly kind: 'locked'; readonly deployments: readonly string[] }
  | { readonly kind: 'accepted'; readonly deploymentId: string; readonly version: Version };

/** What a mutation of the root comes to: a root to go to, or the caller's own refusal. */
export type Mutation<R> =
  | { readonly kind: 'change'; readonly wanted: WantedRoot }
  | { readonly kind: 'refused'; readonly refusal: R };

/** Beyond what timers can hold; a spare round an hour costs nothing. */
const longestSleepMs = 3_600_000;

/** The leader's loop: woken by any change of the tables or of what agents report, it decides and commits until nothing is left to do. */
export class Scheduler implements Part {
  readonly #dependencies: SchedulerDependencies;
  readonly #options: SchedulerOptions;
  readonly #loop: Loop;
  #leadingSince = 0;
  #waiting: ReadonlyMap<AppId, Waiting> = new Map();
  #wakeUp = new AbortController();
  #ends: (() => void)[] = [];
  #updates: Promise<unknown> = Promise.resolve();

  constructor(dependencies: SchedulerDependencies, options: SchedulerOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
    const { clock, log } = dependencies;
    this.#loop = new Loop(() => this.#round(), { name: 'scheduler', clock, log });
  }

  async start(): Promise<void> {
    const { database, presence, clock } = this.#dependencies;
    this.#leadingSince = clock.now();
    const wake = () => this.#loop.wake();
    this.#ends = [database.onChange(wake), presence.onChange(wake)];
    await this.#loop.start();
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) end();
    this.#wakeUp.abort();
    await this.#loop.stop();
    await this.#updates.catch(() => {});
  }

  /** Why apps wait, as of the last round. */
  get waiting(): ReadonlyMap<AppId, Waiting> {
    return this.#waiting;
  }

  /**
   * Changes the root under one lock: `mutate` sees the present root and says what it should be; definitions, addresses
   * and the deployment are stored in one commit. Throws VirtualAddressesExhausted, StoreUnavailable.
   */
  update<R>(
    mutate: (root: Root, version: Version) => Mutation<R>,
    force: boolean,
  ): Promise<UpdateResult | { kind: 'refused'; refusal: R }> {
    const turn = this.#updates.catch(() => {}).then(() => this.#update(mutate, force));
    this.#updates = turn;
    return turn;
  }

  /** Ends instances now (with a drain if they serve); replacements start as the definition says. Unknown ids are left out of the answer. */
  async kill(ids: readonly InstanceId[], reason: string): Promise<readonly InstanceId[]> {
    const world = this.#world();
    const placements = ids.flatMap((id) => world.snapshot.table('placements').get(id) ?? []);
    const writes = placements
      .filter((placement) => placement.goal === 'run')
      .map((placement) => {
        const serving = instanceOf(world, placement)?.state.kind === 'running';
        return putPlacement({
          ...placement,
          goal: serving ? 'drain' : 'stop',
          drainingSince: world.now,
          reason,
        });
      });
    await this.#dependencies.database.commit(writes);
    return placements.map((placement) => placement.instanceId);
  }

  /** Cancels a deployment and leaves everything as it is. False: there is no such deployment. */
  async abandon(id: string): Promise<boolean> {
    const deployment = this.#world().snapshot.table('deployments').get(id);
    if (deployment === undefined) return false;
    await this.#dependencies.database.commit([{ kind: 'delete', table: 'deployments', key: id }]);
    this.#fail(deployment);
    return true;
  }

  async #update<R>(
    mutate: (root: Root, version: Version) => Mutation<R>,
    force: boolean,
  ): Promise<UpdateResult | { kind: 'refused'; refusal: R }> {
    const { database, clock, uuid, events } = this.#dependencies;
    for (;;) {
      const root = database.snapshot.table('apps');
      const version = nextVersion(clock.now(), root);
      const mutation = mutate(root, version);
      if (mutation.kind === 'refused') return mutation;
      const planned = planRoot(database.snapshot, mutation.wanted, {
        force,
        version,
        deploymentId: uuid(),
        now: clock.now(),
        vipRange: this.#options.vipRange,
      });
      if (planned.kind === 'locked') return planned;
      const result = await database.commit(planned.writes);
      if (result.kind === 'conflict') continue;
      for (const cancelled of planned.cancelled) this.#fail(cancelled);
      events.emit({ kind: 'root-changed', version });
      events.emit({ kind: 'deployment-step', deployment: planned.deployment });
      return { kind: 'accepted', deploymentId: planned.deployment.id, version };
    }
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
    const decision = decide(this.#world());
    this.#waiting = decision.waiting;
    if (decision.writes.length > 0) await this.#commit(decision.writes);
    for (const event of decision.events) events.emit(event);
    if (database.snapshot.revision > 0) this.#wakeAt(decision);
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    const result = await this.#dependencies.database.commit(writes);
    if (result.kind === 'conflict') this.#loop.wake();
  }

  #wakeAt({ wakeAt, writes }: Decision): void {
    this.#wakeUp.abort();
    this.#wakeUp = new AbortController();
    if (writes.length > 0 || !Number.isFinite(wakeAt)) return;
    const { clock } = this.#dependencies;
    const wait = Math.min(longestSleepMs, Math.max(1, wakeAt - clock.now()));
    clock.sleep(wait, this.#wakeUp.signal).then(
      () => this.#loop.wake(),
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
