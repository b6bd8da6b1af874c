import type { Agent } from '../../core/model/agent.ts';
import type { AgentId, AppId, InstanceId, Version } from '../../core/model/ids.ts';
import type { InstanceState } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import { vipRangeOfCidr } from '../../core/model/vip-address.ts';
import { Departures } from '../../core/state/departures.ts';
import { DirectoryBuilder } from '../../core/state/directory.ts';
import type { AgentPresence } from '../../core/state/presence.ts';
import { Replica } from '../../core/state/snapshot.ts';
import type { Change, Write } from '../../core/state/store.ts';
import { versionKey } from '../../core/state/tables.ts';
import { decide } from '../decide.ts';
import type { Decision } from '../decision.ts';
import { Memory } from '../memory.ts';
import { type PlacementRules, plainRules } from '../placement-rules.ts';
import { retired } from '../retire.ts';
import { nextVersion, planRoot, type RootPlan, type WantedRoot } from '../root-update.ts';
import { memberOf, putPlacement } from '../view.ts';
import { type Wait, waitsOf } from '../waits.ts';
import type { Limits, World } from '../world.ts';

export const epoch = Date.UTC(2026, 0, 1);

const limits: Limits = {
  drainLimitMs: 60_000,
  agentLostMs: 10_000,
  launchTimeoutMs: 300_000,
  placement: plainRules,
  waitForAcks: true,
};
const vipRange = vipRangeOfCidr('11.0.0.0/24');

/**
 * A cluster without processes, disks or time: the scheduler's pure functions over tables in memory, and agents that do
 * what a test says. The same calls always give the same history.
 */
export class Cluster {
  readonly replica = new Replica();
  readonly directory = new DirectoryBuilder();
  readonly presence = new Map<AgentId, AgentPresence>();
  /** Agents that are heard of all the time. */
  readonly #beating = new Set<AgentId>();
  readonly #departures = new Departures();
  readonly #onCommit: (writes: readonly Write[], before: Replica) => void;
  readonly #seed: number;
  #memory = new Memory();
  now = epoch;
  #leadingSince = epoch;
  #ids = 0;
  #deployments = 0;
  #rules = plainRules;

  constructor(onCommit: (writes: readonly Write[], before: Replica) => void = () => {}, seed = 1) {
    this.#onCommit = onCommit;
    this.#seed = seed;
    this.directory.rebuild(this.replica);
  }

  get revision(): number {
    return this.directory.directory.revision;
  }

  /** A fresh one with the same state each time: what is decided from it is not remembered. */
  world(): World {
    let ids = this.#ids;
    let state = (this.#seed * 2_654_435_761 + this.replica.revision) >>> 0;
    return {
      snapshot: this.replica,
      presence: this.presence,
      absentSince: (instance) => this.absentSince(instance),
      now: this.now,
      leadingSince: this.#leadingSince,
      uuid: () => String(++ids),
      random: () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      },
      limits: { ...limits, placement: this.#rules },
    };
  }

  absentSince(instance: InstanceId): number | undefined {
    return this.#departures.since(instance, this.directory.directory);
  }

  commit(writes: readonly Write[]): void {
    if (writes.length === 0) return;
    this.#onCommit(writes, this.replica);
    const change: Change = {
      revision: this.replica.revision + 1,
      records: writes.map((write) => ({
        table: write.table,
        key: write.key,
        value: write.kind === 'put' ? write.value : undefined,
      })),
    };
    this.#ids += writes.filter((write) => this.#isLaunch(write)).length;
    this.replica.apply(change);
    this.#memory.note(change);
    const delta = this.directory.update(this.replica, change);
    if (delta !== undefined) this.#departures.note(delta);
  }

  /** A round that remembers the ones before it. That it forgot nothing is checked against one that looks at everything. */
  round(): Decision {
    const decision = decide(this.world(), this.#memory);
    const other = decide(this.world());
    const [quick, whole] = [text(decision), text(other)];
    // It may wake too early: when an agent will count as lost is not worked out anew with each heartbeat.
    if (quick !== whole || decision.wakeAt > other.wakeAt)
      throw new Error(`decided from what changed: ${quick}\nfrom everything: ${whole}`);
    this.commit(decision.writes);
    return decision;
  }

  /** Lets time pass; every round that falls due on the way is made, and handed to `seen`. */
  advance(ms: number, seen: (decision: Decision) => void = () => {}): void {
    const end = this.now + ms;
    let decision = this.round();
    seen(decision);
    while (this.now < end) {
      if (decision.writes.length === 0) this.#moveTo(Math.min(end, Math.max(this.now + 1, decision.wakeAt)));
      decision = this.round();
      seen(decision);
    }
  }

  #moveTo(time: number): void {
    this.now = time;
    for (const id of this.#beating) this.#hear(id, { lastHeard: time });
  }

  update(mutate: (version: Version) => WantedRoot, force = false): RootPlan {
    const version = nextVersion(this.now, this.replica);
    const planned = planRoot(this.replica, mutate(version), {
      force,
      version,
      deploymentId: `d${this.#deployments + 1}`,
      now: this.now,
      vipRange,
      mostDeployments: 100,
    });
    if (planned.kind !== 'planned') return planned;
    this.#deployments += 1;
    this.commit(planned.writes);
    return planned;
  }

  kill(id: InstanceId): void {
    const placement = this.replica.table('placements').get(id);
    if (placement?.goal !== 'run') return;
    this.commit([putPlacement(retired(memberOf(placement, this.world()), 'killed by a test', this.now))]);
  }

  join(agent: Agent): void {
    this.commit([{ kind: 'put', table: 'agents', key: agent.id, value: agent }]);
    this.connect(agent.id);
  }

  connect(id: AgentId): void {
    this.#beating.add(id);
    this.presence.set(id, { lastHeard: this.now, connected: true, acks: {}, inFlight: {} });
    this.#memory.noteAgent(id);
  }

  /** The agent's connection breaks and nothing is heard of it from now on. */
  lose(id: AgentId): void {
    this.#beating.delete(id);
    this.#note(id, { connected: false });
  }

  remove(id: AgentId): void {
    this.#beating.delete(id);
    this.presence.delete(id);
    this.commit([{ kind: 'delete', table: 'agents', key: id }]);
  }

  waitsOf(app: AppId): readonly Wait[] {
    const { waiting, held } = this.#memory;
    return waitsOf(app, this.world(), { waiting: waiting.get(app), held: held.get(app) });
  }

  /** The operator wants an agent empty. */
  empty(id: AgentId): void {
    this.commit([{ kind: 'put', table: 'drains', key: id, value: { agentId: id, since: this.now } }]);
  }

  refill(id: AgentId): void {
    this.commit([{ kind: 'delete', table: 'drains', key: id }]);
  }

  /** Another master takes over: it knows the tables, and hears of the agents anew. */
  changeLeader(): void {
    this.#leadingSince = this.now;
    this.#memory = new Memory();
    this.#departures.begin(this.directory.rebuild(this.replica).revision);
    const acks = new Map([...this.presence].map(([id, presence]) => [id, presence]));
    this.presence.clear();
    for (const id of this.#beating) {
      this.connect(id);
      this.#note(id, { acks: acks.get(id)?.acks ?? {}, inFlight: acks.get(id)?.inFlight ?? {} });
    }
  }

  acknowledge(id: AgentId, consumers?: readonly string[], revision = this.revision): void {
    const agent = this.replica.table('agents').get(id);
    const named = consumers ?? agent?.consumers ?? [];
    const acks = Object.fromEntries(named.map((consumer) => [consumer, revision]));
    this.#note(id, { acks: { ...this.presence.get(id)?.acks, ...acks } });
  }

  carry(id: AgentId, instance: InstanceId, count: number): void {
    this.#note(id, { inFlight: { ...this.presence.get(id)?.inFlight, [instance]: count } });
  }

  report(placement: Placement, state: InstanceState, attempt = placement.attempt): void {
    const { instanceId, appId, appVersion, agentId } = placement;
    const before = this.replica.table('instances').get(instanceId);
    const value = {
      instanceId,
      appId,
      appVersion,
      agentId,
      attempt,
      stagedAt: before?.stagedAt ?? this.now,
      state,
    };
    this.commit([{ kind: 'put', table: 'instances', key: instanceId, value }]);
  }

  /** A running state; `healthy` undefined: the checks have not said anything yet. */
  running(app: AppId, version: Version, healthy?: boolean): InstanceState {
    const checks = this.replica.table('versions').get(versionKey(app, version))?.healthChecks ?? [];
    const success = { alive: true, consecutiveFailures: 0, firstSuccess: this.now, lastSuccess: this.now };
    const result = healthy === false ? { alive: false, consecutiveFailures: 1 } : success;
    if (healthy === undefined)
      return { kind: 'running', since: this.now, addresses: [], health: checks.map(() => null) };
    return { kind: 'running', since: this.now, addresses: [], health: checks.map(() => result) };
  }

  /** The state of a running instance whose checks failed so many times in a row, the last one now. */
  failing(id: InstanceId, consecutiveFailures: number, cause: string): InstanceState {
    const state = this.#runningState(id);
    const failure = { consecutiveFailures, lastFailure: this.now, lastFailureCause: cause || 'refused' };
    return { ...state, health: state.health.map((result) => ({ ...result, ...failure, alive: false })) };
  }

  /** The state of a running instance whose readiness check was answered. */
  answering(id: InstanceId, ready: boolean): InstanceState {
    return { ...this.#runningState(id), readiness: { name: 'ready', ready } };
  }

  /** What the operator says when masters are started; a new one leads from now on. */
  setRules(rules: Partial<PlacementRules>): void {
    this.#rules = { ...plainRules, ...rules };
    this.changeLeader();
  }

  addNetwork(name: string, agentPrefix: number): void {
    const value = {
      name,
      cidr: '100.64.0.0/16',
      agentPrefix,
      backend: 'fake',
      vni: 1,
      port: 1,
      egress: 'none',
    };
    this.commit([{ kind: 'put', table: 'networks', key: name, value }]);
  }

  setBrake(mode: 'on' | 'off'): void {
    const value = { name: 'health-brake', mode, since: this.now } as const;
    this.commit([{ kind: 'put', table: 'settings', key: value.name, value }]);
  }

  #runningState(id: InstanceId): Extract<InstanceState, { kind: 'running' }> {
    const state = this.replica.table('instances').get(id)?.state;
    if (state?.kind !== 'running') throw new Error(`${id} does not run`);
    return state;
  }

  /** One turn of every agent that is there doing at once what is wanted of it. True: something happened. */
  cooperate(): boolean {
    const before = this.replica.revision;
    for (const id of this.#beating) {
      for (const placement of this.replica.placementsOn(id)) this.#obey(placement);
      this.acknowledge(id);
      this.#note(id, { inFlight: {} });
    }
    return this.replica.revision !== before;
  }

  #obey(placement: Placement): void {
    const state = this.replica.table('instances').get(placement.instanceId)?.state;
    if (state?.kind === 'ended') return;
    if (placement.goal === 'stop')
      this.report(placement, { kind: 'ended', at: this.now, how: 'killed', reason: 'stopped' });
    const { appId, appVersion } = placement;
    const app = this.replica.table('versions').get(versionKey(appId, appVersion));
    const isPolled = (app?.readinessChecks.length ?? 0) > 0;
    const isHealthy = state?.kind === 'running' && state.health.every((result) => result?.alive === true);
    const isReady = isHealthy && (!isPolled || state.readiness?.ready === true);
    if (placement.goal !== 'run' || isReady) return;
    this.report(placement, this.running(appId, appVersion, true));
    if (isPolled) this.report(placement, this.answering(placement.instanceId, true));
  }

  #note(id: AgentId, fields: Partial<AgentPresence>): void {
    this.#hear(id, fields);
    this.#memory.noteAgent(id);
  }

  /** A heartbeat that says nothing new is told to nobody. */
  #hear(id: AgentId, fields: Partial<AgentPresence>): void {
    const presence = this.presence.get(id);
    if (presence !== undefined) this.presence.set(id, { ...presence, ...fields });
  }

  #isLaunch(write: Write): boolean {
    return write.table === 'placements' && !this.replica.table('placements').has(write.key);
  }
}

function text({ waiting, wakeAt: _, ...rest }: Decision): string {
  return JSON.stringify({ ...rest, waiting: [...waiting].sort(([a], [b]) => (a < b ? -1 : 1)) });
}
