import type { App } from '../../core/model/app.ts';
import type { InstanceState } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import { testAgent } from '../../core/state/testing/agents.ts';
import { testApp } from '../../core/state/testing/apps.ts';
import type { Decision } from '../decision.ts';
import type { RootPlan, WantedRoot } from '../root-update.ts';
import { Cluster, epoch } from './cluster.ts';
import { clock, short, Trace } from './trace.ts';
import { agentFields, appFields, duration, type Words, wordsOf } from './words.ts';

type Command = Words & { readonly more: readonly Words[] };

/** Far more than any scenario needs: a scheduler that never comes to rest is a fault. */
const mostRounds = 200;

/** Runs the commands of one scenario; each gives the full trace of what it led to. */
export class Interpreter {
  readonly #trace = new Trace();
  #lines: string[] = [];
  readonly #cluster = new Cluster((writes, before) => {
    for (const write of writes) this.#lines.push(...this.#trace.write(write, before));
  });
  #waiting: readonly string[] = [];

  run(command: string): string {
    this.#lines = [];
    const [first = '', ...more] = command.split('\n');
    const words = { ...wordsOf(first), more: more.map(wordsOf) };
    const perform = this.#verbs[words.verb];
    if (perform === undefined) throw new Error(`no such command: ${command}`);
    perform(words);
    this.#settle();
    return [...this.#lines, ...this.#waiting].join('\n');
  }

  readonly #verbs: Readonly<Record<string, (words: Command) => void>> = {
    agents: (words) => {
      for (const name of words.names) this.#cluster.join(testAgent(name, agentFields(words.fields)));
    },
    put: (words) => this.#put(words),
    together: (words) => this.#putAll(words),
    update: (words) => this.#put(words),
    restart: (words) => this.#change(words, (root) => ({ after: root, restarted: apps(words) })),
    delete: (words) =>
      this.#change(words, (root) => ({
        after: new Map([...root].filter(([id]) => !apps(words).includes(id))),
      })),
    abandon: (words) => {
      for (const key of words.names) this.#cluster.commit([{ kind: 'delete', table: 'deployments', key }]);
    },
    report: (words) => this.#report(words),
    kill: (words) => {
      for (const name of words.names) this.#cluster.kill(this.#placement(name).instanceId);
    },
    ack: ({ names: [agent = '', ...consumers], fields }) => {
      const revision = Number(fields.get('revision') ?? this.#cluster.revision);
      this.#cluster.acknowledge(agent, consumers.length > 0 ? consumers : undefined, revision);
    },
    'in-flight': ({ names: [agent = '', name = '', count = '0'] }) =>
      this.#cluster.carry(agent, this.#placement(name).instanceId, Number(count)),
    advance: ({ names: [time = ''] }) =>
      this.#cluster.advance(duration(time), (decision) => this.#note(decision)),
    lose: ({ names }) => {
      for (const name of names) this.#cluster.lose(name);
    },
    return: ({ names }) => {
      for (const name of names) this.#cluster.connect(name);
    },
    remove: ({ names }) => {
      for (const name of names) this.#cluster.remove(name);
    },
    waits: ({ names }) => {
      for (const name of names) this.#lines.push(...this.#trace.waits(name, this.#cluster.waitsOf(name)));
    },
    drain: ({ names }) => {
      for (const name of names) this.#cluster.empty(name);
    },
    undrain: ({ names }) => {
      for (const name of names) this.#cluster.refill(name);
    },
    rules: ({ fields }) => this.#cluster.setRules(Object.fromEntries(fields)),
    network: ({ names: [name = ''], fields }) =>
      this.#cluster.addNetwork(name, Number(fields.get('agentPrefix') ?? 24)),
    brake: ({ names: [mode] }) => this.#cluster.setBrake(mode === 'off' ? 'off' : 'on'),
    'new-leader': () => this.#cluster.changeLeader(),
    cooperate: () => {
      for (let turn = 0; turn < mostRounds; turn++) {
        const before = this.#cluster.replica.revision;
        this.#cluster.cooperate();
        this.#settle();
        if (this.#cluster.replica.revision === before) return;
      }
      throw new Error('the cluster does not come to rest');
    },
    state: () => this.#state(),
  };

  #put(words: Words): void {
    const [id = ''] = words.names;
    const { fields } = words;
    const sentenced = fields
      .get('sentenced')
      ?.split(',')
      .map((name) => this.#placement(name).instanceId);
    const own = new Map([...fields].filter(([name]) => name !== 'sentenced'));
    this.#change(words, (root) => ({
      after: new Map([...root, [id, { ...(root.get(id) ?? testApp(id)), ...appFields(own) }]]),
      ...(sentenced === undefined ? {} : { sentenced }),
    }));
  }

  /** One change of the root that names several apps, one a line. */
  #putAll(words: Command): void {
    this.#change(words, (root) => ({
      after: new Map([
        ...root,
        ...words.more.map(({ verb: id, fields }): [string, App] => [
          id,
          { ...(root.get(id) ?? testApp(id)), ...appFields(fields) },
        ]),
      ]),
    }));
  }

  #change(words: Words, wanted: (root: ReadonlyMap<string, App>) => WantedRoot): void {
    const root = this.#cluster.replica.table('apps');
    const planned = this.#cluster.update(() => wanted(root), words.names.includes('force'));
    this.#lines.push(...said(planned));
  }

  #report({ names: [name = '', what = '', ...rest], fields }: Words): void {
    const placement = this.#placement(name);
    const attempt = Number(fields.get('attempt') ?? placement.attempt);
    this.#cluster.report(placement, this.#stateOf(placement, what, rest), attempt);
  }

  #stateOf(placement: Placement, what: string, rest: readonly string[]): InstanceState {
    const { appId, appVersion, instanceId } = placement;
    const { now } = this.#cluster;
    const reason = rest.join(' ');
    if (what === 'staging') return { kind: 'staging', step: 'fetching', since: now };
    if (what === 'killing') return { kind: 'killing', since: now };
    if (what === 'running') return this.#cluster.running(appId, appVersion);
    if (what === 'healthy') return this.#cluster.running(appId, appVersion, true);
    if (what === 'failing')
      return this.#cluster.failing(instanceId, Number(rest[0]), rest.slice(1).join(' '));
    if (what === 'ready' || what === 'unready') return this.#cluster.answering(instanceId, what === 'ready');
    if (what === 'unhealthy') return this.#cluster.running(appId, appVersion, false);
    if (what === 'failed' || what === 'finished' || what === 'killed')
      return { kind: 'ended', at: now, how: what, reason: reason || what };
    throw new Error(`no such state: ${what}`);
  }

  #settle(): void {
    for (let round = 0; round < mostRounds; round++) {
      const decision = this.#cluster.round();
      this.#note(decision);
      if (decision.writes.length === 0) return;
    }
    throw new Error('the scheduler does not come to rest');
  }

  #note(decision: Decision): void {
    this.#lines.push(...this.#trace.events(decision));
    this.#waiting = this.#trace.waiting(decision);
  }

  #state(): void {
    const { replica, now, revision } = this.#cluster;
    this.#lines.push(`${clock(now)}, directory ${revision}`);
    for (const placement of replica.table('placements').values()) {
      const { instanceId, appVersion, agentId, goal } = placement;
      const kind = replica.table('instances').get(instanceId)?.state.kind ?? 'unheard';
      this.#lines.push(
        `${short(instanceId)} ${this.#trace.version(appVersion)} on ${agentId}: ${goal}, ${kind}`,
      );
    }
  }

  #placement(name: string): Placement {
    const id = name.replace(/\.(\d+)$/, '.instance-$1');
    const placement = this.#cluster.replica.table('placements').get(id);
    if (placement === undefined) throw new Error(`no such instance at ${clock(epoch)}: ${name}`);
    return placement;
  }
}

function apps(words: Words): readonly string[] {
  return words.names.filter((name) => name.startsWith('/'));
}

function said(planned: RootPlan): readonly string[] {
  if (planned.kind === 'full') return [`full: ${planned.limit}`];
  if (planned.kind === 'locked') return [`locked by ${planned.deployments.join(', ')}`];
  return planned.cancelled.map(({ id }) => `event deployment-failed ${id}`);
}
