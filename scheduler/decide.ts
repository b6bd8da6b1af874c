import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import { type AppId, instanceId } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import type { MasterEvent } from '../core/state/event-bus.ts';
import type { Write } from '../core/state/store.ts';
import { type AgentView, agentViews } from './agent-view.ts';
import { stepDecision } from './deployments.ts';
import { drainVerdict } from './drain.ts';
import { endedDecision } from './ended.ts';
import { place, type Refusal } from './place.ts';
import { launchableAt } from './relaunch.ts';
import { firstToStop } from './select.ts';
import { rollingMove } from './upgrade.ts';
import {
  instanceOf,
  isCurrent,
  isLost,
  lostAt,
  type Member,
  membersOf,
  putPlacement,
  type World,
} from './view.ts';
import { type Want, wantOf } from './want.ts';

/** Why an app has fewer instances than it wants. */
export type Waiting =
  | { readonly kind: 'backoff'; readonly count: number; readonly until: number }
  | { readonly kind: 'no-agent'; readonly count: number; readonly refusals: readonly Refusal[] };

export type Decision = {
  readonly writes: readonly Write[];
  /** Emitted once the writes are committed. */
  readonly events: readonly MasterEvent[];
  readonly waiting: ReadonlyMap<AppId, Waiting>;
  /** When to decide again though nothing changed, ms since the epoch; Infinity: never. */
  readonly wakeAt: number;
};

/** One round of the scheduler: everything that should be written now, from one moment of the world. */
export function decide(world: World): Decision {
  const round = new Round(world);
  for (const id of appsOf(world)) round.app(id);
  return round.finish();
}

/** Collects what a round decides; lives for one call of `decide`. */
class Round {
  readonly #world: World;
  readonly #views: readonly AgentView[];
  readonly #writes: Write[] = [];
  readonly #waiting = new Map<AppId, Waiting>();
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(world: World) {
    this.#world = world;
    this.#views = agentViews(world.snapshot, (agent) => world.presence.get(agent.id)?.connected === true);
  }

  app(id: AppId): void {
    const ended = endedDecision(id, this.#world);
    this.#writes.push(...ended.writes);
    this.#wakeAt = Math.min(this.#wakeAt, ended.wakeAt);
    const members = membersOf(this.#world, id).filter((member) => !this.#lose(member, id));
    for (const member of members) this.#drain(member.placement);
    const want = wantOf(id, this.#world);
    const running = members.filter((member) => member.placement.goal === 'run');
    if (want === undefined) this.#stop(running, 'the app was deleted');
    else if (want.replace) this.#replace(want, members, running, ended.delayedUntil);
    else this.#scale(want, running, ended.delayedUntil);
  }

  finish(): Decision {
    const step = stepDecision(this.#world, this.#writes.length > 0);
    return {
      writes: [...this.#writes, ...step.writes],
      events: step.events,
      waiting: this.#waiting,
      wakeAt: this.#wakeAt,
    };
  }

  /** A lost agent's instances count no more; should it return, they are stopped there. */
  #lose(member: Member, id: AppId): boolean {
    const { placement } = member;
    const strategy = this.#world.snapshot.table('apps').get(id)?.unreachableStrategy;
    if (strategy === 'disabled' && placement.goal === 'run') return false;
    const patienceMs =
      (strategy === undefined || strategy === 'disabled' ? 0 : strategy.inactiveAfterSeconds) * 1000;
    const at = lostAt(this.#world, placement.agentId) + patienceMs;
    this.#wakeAt = Math.min(this.#wakeAt, at);
    if (this.#world.now < at) return false;
    if (placement.goal !== 'stop')
      this.#writes.push(putPlacement({ ...placement, goal: 'stop', reason: 'its agent is lost' }));
    return true;
  }

  #drain(placement: Placement): void {
    if (placement.goal !== 'drain') return;
    const verdict = drainVerdict(placement, this.#world);
    if (verdict.kind === 'over') this.#writes.push(putPlacement({ ...placement, goal: 'stop' }));
    else this.#wakeAt = Math.min(this.#wakeAt, verdict.until);
  }

  #scale(want: Want, running: readonly Member[], delayedUntil: number): void {
    const surplus = running.length - want.target;
    if (surplus > 0) this.#stop(firstToStop(running, want.app).slice(0, surplus), 'scaled down');
    if (surplus < 0) this.#start(want.app, -surplus, running, delayedUntil);
  }

  #replace(want: Want, members: readonly Member[], running: readonly Member[], delayedUntil: number): void {
    const fresh = running.filter((member) => isCurrent(member.placement, want.app));
    const old = running.filter((member) => !isCurrent(member.placement, want.app));
    const move = rollingMove(
      {
        target: want.target,
        oldReady: old.filter((member) => member.ready).length,
        oldRunning: old.length,
        oldActive: members.filter((member) => !isCurrent(member.placement, want.app)).length,
        started: fresh.length,
        newReady: fresh.filter((member) => member.ready).length,
      },
      want.app.upgradeStrategy,
    );
    const surplus = Math.max(0, fresh.length - want.target);
    this.#stop(firstToStop(fresh, want.app).slice(0, surplus), 'scaled down');
    this.#stop(firstToStop(old, want.app).slice(0, move.stop), `replaced by version ${want.app.version}`);
    if (move.start > 0) this.#start(want.app, move.start, fresh, delayedUntil);
  }

  /** One that was never started has nothing to drain. */
  #stop(members: readonly Member[], reason: string): void {
    for (const { placement } of members) {
      const serving = instanceOf(this.#world, placement)?.state.kind === 'running';
      const goal = serving
        ? { goal: 'drain' as const, drainingSince: this.#world.now }
        : { goal: 'stop' as const };
      this.#writes.push(putPlacement({ ...placement, ...goal, reason }));
    }
    if (members.length > 0) this.#wakeAt = Math.min(this.#wakeAt, this.#world.now);
  }

  #start(app: App, count: number, peers: readonly Member[], delayedUntil: number): void {
    const until = Math.max(
      delayedUntil,
      launchableAt(this.#world.snapshot.table('backoffs').get(app.id), app),
    );
    if (until > this.#world.now) {
      this.#waiting.set(app.id, { kind: 'backoff', count, until });
      this.#wakeAt = Math.min(this.#wakeAt, until);
      return;
    }
    const agents = peers.flatMap((peer) => this.#agentOf(peer.placement) ?? []);
    for (let placed = 0; placed < count; placed++) {
      const result = place({ app, peers: agents }, this.#views, this.#world.random);
      if (result.kind === 'refused') {
        this.#waiting.set(app.id, { kind: 'no-agent', count: count - placed, refusals: result.refusals });
        return;
      }
      agents.push(result.agent);
      this.#writes.push(putPlacement(this.#placement(app, result.agent, result.ports)));
    }
  }

  #placement(app: App, agent: Agent, ports: Pick<Placement, 'hostPorts' | 'containerPorts'>): Placement {
    return {
      instanceId: instanceId(app.id, this.#world.uuid()),
      appId: app.id,
      appVersion: app.version,
      agentId: agent.id,
      attempt: 1,
      hostPorts: ports.hostPorts,
      containerPorts: ports.containerPorts,
      goal: 'run',
      createdAt: this.#world.now,
    };
  }

  #agentOf(placement: Placement): Agent | undefined {
    if (isLost(this.#world, placement.agentId)) return undefined;
    return this.#world.snapshot.table('agents').get(placement.agentId);
  }
}

/** Every app that is wanted or still has something running. */
function appsOf(world: World): readonly AppId[] {
  const placed = [...world.snapshot.table('placements').values()].map((placement) => placement.appId);
  return [...new Set([...world.snapshot.table('apps').keys(), ...placed])].sort();
}
