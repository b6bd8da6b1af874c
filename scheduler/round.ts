import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import { type AppId, instanceId } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Write } from '../core/state/store.ts';
import { type BrakeReport, brakeLabel } from './brake.ts';
import type { Decision } from './decision.ts';
import { stepDecision } from './deployments.ts';
import { drainVerdict } from './drain.ts';
import { endedDecision } from './ended.ts';
import { Search } from './fleet/search.ts';
import type { Agenda, Memory } from './memory.ts';
import { spareToMove } from './move.ts';
import { explanation, place } from './place.ts';
import { type Reach, reachChangesAt } from './reach.ts';
import { lostOf } from './relaunch.ts';
import { retired } from './retire.ts';
import { chooseToStop } from './select.ts';
import { endedFor, type Fatal, fatalOf, lateAt } from './unhealthy.ts';
import { type Rolling, rollingMove } from './upgrade.ts';
import { allVersionWrites } from './versions.ts';
import { isCurrent, type Member, membersOf, putPlacement } from './view.ts';
import { type Want, wantOf } from './want.ts';
import type { World } from './world.ts';

/** While the brake is on, it is looked at this often whether it may let go. */
const brakePollMs = 10_000;

/** Collects what one call of `decide` decides, app by app; agents fill up as it goes. */
export class Round {
  readonly #world: World;
  readonly #memory: Memory;
  readonly #agenda: Agenda;
  readonly #writes: Write[] = [];
  /** Apps of which this round changes instances. */
  readonly #busy = new Set<AppId>();
  #braking: readonly BrakeReport[] | undefined;

  constructor(world: World, memory: Memory, agenda: Agenda) {
    this.#world = world;
    this.#memory = memory;
    this.#agenda = agenda;
  }

  /** Reports that came too late belong to nothing. */
  sweep(): void {
    for (const key of this.#agenda.orphans) this.#writes.push({ kind: 'delete', table: 'instances', key });
  }

  app(id: AppId): void {
    this.#memory.reconsider(id);
    const want = wantOf(this.#world.snapshot.table('apps').get(id), id, this.#agenda.parts.get(id));
    const ended = endedDecision(id, want?.app, this.#world);
    this.#writes.push(...ended.writes);
    if (ended.changed) this.#busy.add(id);
    this.#lookAgainAt(id, ended.wakeAt);
    const members = membersOf(this.#world, id).map((member) => this.#judge(member));
    for (const member of members) this.#follow(member);
    const counted = members.filter(({ reach }) => reach === 'present' || reach === 'unreachable');
    if (want === undefined) this.#end(id, members);
    else if (want.replace) this.#replace(want, counted, ended.launchableAt);
    else this.#scale(want, running(counted), ended.launchableAt);
  }

  get writeCount(): number {
    return this.#writes.length;
  }

  /** These are for the next round; until then no step of theirs is judged. */
  postpone(apps: readonly AppId[]): void {
    this.#memory.postpone(apps);
    for (const app of apps) this.#busy.add(app);
  }

  finish(): Decision {
    const { deployments, agentLostAt } = this.#agenda;
    const step = stepDecision(this.#world, { deployments, busy: this.#busy, done: this.#memory.done });
    return {
      writes: [...this.#writes, ...step.writes],
      events: step.events,
      waiting: this.#memory.waiting,
      brakes: this.#memory.held.size === 0 ? [] : this.#brakes,
      wakeAt: this.#memory.hasPostponed ? this.#world.now : Math.min(agentLostAt, this.#memory.nextDue),
    };
  }

  /** Ends an instance with which something is wrong; the rest of the round counts it as ending. */
  #judge(member: Member): Member {
    const fatal = fatalOf(member);
    if (fatal !== undefined) return this.#judgeUnhealthy(member, fatal);
    const { launchTimeoutMs } = this.#world.limits;
    const late = lateAt(member, launchTimeoutMs);
    if (this.#world.now < late) {
      this.#lookAgainAt(member.placement.appId, late);
      return member;
    }
    const state = member.instance?.state;
    const step = state?.kind === 'staging' ? state.step : 'its agent said nothing of it';
    const reason = `it did not run within ${launchTimeoutMs / 1000} s of its launch (${step})`;
    return this.#putMember(endedFor(member, { fault: 'late', reason }));
  }

  #judgeUnhealthy(member: Member, { cause, wasHealthy }: Fatal): Member {
    const { appId, instanceId, agentId } = member.placement;
    const brake = this.#brakes.find(({ scope }) => scope === 'cluster' || scope === agentId);
    if (brake !== undefined && member.app?.labels[brakeLabel] !== 'off') {
      this.#memory.hold(appId, instanceId, brake.reason);
      this.#lookAgainAt(appId, this.#world.now + brakePollMs);
      return member;
    }
    const reason = `Task was killed since health check failed. Reason: ${cause}`;
    const turned = wasHealthy ? { turnedAt: this.#world.now } : {};
    return this.#putMember(endedFor(member, { fault: 'unhealthy', reason, ...turned }));
  }

  /** What happens to an instance by itself: its drain ends, or its agent is given up. */
  #follow({ placement, reach }: Member): void {
    // While its agent is heard of, that it falls silent is noticed for the agent.
    if (reach !== 'present') this.#lookAgainAt(placement.appId, reachChangesAt(placement, this.#world));
    if (reach === 'expunged') this.#expunge(placement);
    else if (placement.goal !== 'stop') this.#noteReach(placement, reach);
    if (reach !== 'expunged' && placement.goal === 'drain') this.#drain(placement);
  }

  #expunge(placement: Placement): void {
    if (placement.expungedAt !== undefined) return;
    const { now, snapshot } = this.#world;
    const reason = placement.goal === 'stop' ? placement.reason : 'its agent is lost';
    const why = reason === undefined ? {} : { reason };
    this.#put({ ...placement, goal: 'stop', expungedAt: now, ...why });
    if (placement.goal !== 'run' || !snapshot.table('apps').has(placement.appId)) return;
    const host = snapshot.table('agents').get(placement.agentId)?.hostname ?? placement.agentId;
    const value = lostOf(placement, host, now);
    this.#writes.push({ kind: 'put', table: 'failures', key: placement.appId, value });
  }

  /** Traffic is kept from an instance while its agent is lost, however long it is waited for. */
  #noteReach(placement: Placement, reach: Reach): void {
    const { unreachableSince, inactiveSince, ...known } = placement;
    const { now } = this.#world;
    if (reach === 'present' && unreachableSince !== undefined) this.#put(known);
    if (reach === 'present' || placement.goal !== 'run') return;
    const isNoted = unreachableSince !== undefined && (reach !== 'inactive' || inactiveSince !== undefined);
    if (isNoted || (unreachableSince === undefined && this.#agenda.isDeaf)) return;
    const inactive = reach === 'inactive' ? { inactiveSince: now } : {};
    this.#put({ ...placement, unreachableSince: unreachableSince ?? now, ...inactive });
  }

  #drain(placement: Placement): void {
    this.#memory.watchDrain(placement.appId);
    const verdict = drainVerdict(placement, this.#world);
    if (verdict.kind === 'over') this.#put({ ...placement, goal: 'stop' });
    else this.#lookAgainAt(placement.appId, verdict.until);
  }

  /** Nothing of the app is wanted. Its versions go with the last of its instances. */
  #end(id: AppId, members: readonly Member[]): void {
    this.#stop(
      running(members).filter(({ reach }) => reach !== 'expunged'),
      'the app was deleted',
    );
    if (members.length === 0 && !this.#world.snapshot.table('apps').has(id))
      this.#writes.push(...allVersionWrites(id, this.#world.snapshot));
  }

  #scale(want: Want, members: readonly Member[], launchableAt: number): void {
    const staying = members.filter(({ leaving }) => !leaving);
    const sentenced = staying.filter((member) => isSentenced(member, want)).length;
    const stop = Math.max(staying.length - want.target, sentenced);
    const groupBy = want.app.constraints.filter(({ operator }) => operator === 'GROUP_BY');
    const stopped = this.#stopSome(staying, stop, want, { groupBy: groupBy.map(({ field }) => field) });
    const kept = staying.filter((member) => !stopped.includes(member));
    this.#start(want.app, { count: want.target - kept.length, peers: kept, launchableAt });
    this.#move(want, kept, { leaving: members.filter(({ leaving }) => leaving) });
  }

  /** Instances on agents that are to become empty end once those elsewhere are what is wanted without them. */
  #move(want: Want, kept: readonly Member[], { leaving }: { leaving: readonly Member[] }): void {
    if (leaving.length === 0) return;
    const named = leaving.filter((member) => isSentenced(member, want));
    const rest = leaving.filter((member) => !named.includes(member));
    this.#stop(named, 'scaled down');
    this.#stop(spareToMove(kept, rest, want.target), 'its agent is being drained');
  }

  #replace(want: Want, members: readonly Member[], launchableAt: number): void {
    const isFresh = (member: Member) => isCurrent(member, want.app);
    const fresh = running(members).filter(isFresh);
    // Old ones on lost agents count as dead (Marathon §15.4): nobody waits for them to drain.
    const present = members.filter((member) => isFresh(member) || member.reach === 'present');
    const old = running(present).filter((member) => !isFresh(member));
    const replaced = `replaced by version ${want.app.version}`;
    this.#stop(
      running(members).filter((member) => !present.includes(member)),
      replaced,
    );
    const surplus = this.#stopSome(fresh, fresh.length - want.target, want);
    const kept = fresh.filter((member) => !surplus.includes(member));
    const move = rollingMove(countsOf(want, present, kept, old), want.app.upgradeStrategy);
    this.#stopSome(old, move.stop, want, { reason: replaced });
    this.#start(want.app, { count: move.start, peers: kept, launchableAt });
  }

  #stopSome(
    members: readonly Member[],
    count: number,
    want: Want,
    { reason = 'scaled down', groupBy = [] }: { reason?: string; groupBy?: readonly string[] } = {},
  ): readonly Member[] {
    const chosen = chooseToStop(members, count, {
      app: want.app,
      sentenced: want.sentenced,
      groupBy,
      agents: this.#world.snapshot.table('agents'),
    });
    this.#stop(chosen, reason);
    return chosen;
  }

  #stop(members: readonly Member[], reason: string): void {
    for (const member of members) this.#put(retired(member, reason, this.#world.now));
  }

  #start(app: App, { count, peers, launchableAt }: Launch): void {
    if (count <= 0) return;
    if (launchableAt > this.#world.now) {
      this.#memory.waiting.set(app.id, { kind: 'backoff', count, until: launchableAt });
      this.#lookAgainAt(app.id, launchableAt);
      return;
    }
    const beside = peers.flatMap((peer) => this.#agentBeside(app, peer));
    const { fleet } = this.#memory;
    const { placement } = this.#world.limits;
    const search = new Search({ app, peers: beside, placement }, fleet);
    const means = { fleet, random: this.#world.random };
    for (let started = 0; started < count; started++) {
      const placed = place(search, app, means);
      if (placed === undefined) {
        this.#waitForAgent(search, app, count - started);
        return;
      }
      const placement = this.#placement(app, placed.agent, placed.ports);
      this.#memory.placed(placement);
      this.#put(placement);
    }
  }

  #waitForAgent(search: Search, app: App, count: number): void {
    const why = explanation(search, app, { fleet: this.#memory.fleet, world: this.#world });
    this.#memory.waiting.set(app.id, {
      kind: 'no-agent',
      count,
      get refusals() {
        return why().refusals;
      },
      get nearest() {
        return why().nearest;
      },
    });
  }

  /** Constraints look at instances of the same configuration on agents that are not lost (Marathon §13). */
  #agentBeside(app: App, member: Member): readonly Agent[] {
    if (member.reach !== 'present' || !isCurrent(member, app)) return [];
    const agent = this.#world.snapshot.table('agents').get(member.placement.agentId);
    return agent === undefined ? [] : [agent];
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

  /** Worked out once a round, when there is an instance to be ended for its health. */
  get #brakes(): readonly BrakeReport[] {
    this.#braking ??= this.#memory.brakes(this.#world);
    return this.#braking;
  }

  #putMember(member: Member): Member {
    this.#put(member.placement);
    return member;
  }

  #put(placement: Placement): void {
    this.#writes.push(putPlacement(placement));
    this.#busy.add(placement.appId);
  }

  #lookAgainAt(app: AppId, at: number): void {
    if (at > this.#world.now && at < Number.POSITIVE_INFINITY) this.#memory.lookAgain(app, at);
  }
}

type Launch = {
  readonly count: number;
  /** The app's instances that stay. */
  readonly peers: readonly Member[];
  readonly launchableAt: number;
};

function running(members: readonly Member[]): readonly Member[] {
  return members.filter((member) => member.placement.goal === 'run');
}

function isSentenced({ placement }: Member, { sentenced }: Want): boolean {
  return sentenced.has(placement.instanceId);
}

function countsOf(
  want: Want,
  present: readonly Member[],
  fresh: readonly Member[],
  old: readonly Member[],
): Rolling {
  return {
    target: want.target,
    oldRunning: old.length,
    oldReady: old.filter((member) => member.ready).length,
    started: fresh.length,
    newReady: fresh.filter((member) => member.passed).length,
    active: present.length,
  };
}
