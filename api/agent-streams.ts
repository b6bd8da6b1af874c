import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import {
  type DirectoryDelta,
  joinDeltas,
  withoutDraining,
  withoutEdgeParts,
  withoutKeys,
} from '../core/model/directory.ts';
import type { AgentId, InstanceId } from '../core/model/ids.ts';
import type { AgentQuestion, HeldDirectory, MasterMessage } from '../core/model/master-port.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Change } from '../core/state/store.ts';
import { versionKey } from '../core/state/tables.ts';
import { AgentStream, type Connection } from './agent-stream.ts';
import type { ApiDependencies } from './dependencies.ts';

const pingMs = 2_000;
/** While the Directory keeps changing, what changed within this is told together. */
const gatherMs = 20;
/** So many heartbeats a second are asked for, all agents together; a few agents still give one a second each. */
const heartbeatsPerSecond = 1_000;

type Dependencies = Pick<
  ApiDependencies,
  'database' | 'publisher' | 'presence' | 'questions' | 'clock' | 'log'
>;

/**
 * The master's side of all agents' connections: each is told everything it needs first, then each change as it happens, one
 * JSON object a line. A change is looked at once, and what several are told is put into words once.
 */
export class AgentStreams {
  readonly #dependencies: Dependencies;
  readonly #streams = new Map<AgentId, AgentStream>();
  /** Whom an instance was assigned to. */
  readonly #assigned = new Map<InstanceId, AgentId>();
  readonly #words = new WeakMap<App, string>();
  readonly #ends: readonly (() => void)[];
  readonly #stopping = new AbortController();
  #whole: { readonly revision: number; readonly words: Words } | undefined;
  #gathered: DirectoryDelta | undefined;
  #isGathering = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    const { database, publisher } = dependencies;
    this.#ends = [
      database.onChange((change) => this.#changed(change)),
      publisher.subscribe((delta) => this.#directory(delta)),
    ];
    this.#every(pingMs, () => this.#ping());
  }

  stop(): void {
    this.#stopping.abort();
    for (const end of this.#ends) end();
  }

  /** Serves until the connection closes. `held.store` is absent of an agent of before, which cannot tell. */
  async serve(agent: Agent, held: HeldDirectory, connection: Connection): Promise<void> {
    const { presence, questions, clock, log } = this.#dependencies;
    const stream = new AgentStream(agent, connection, log);
    const withoutKeys = stream.isEdge && !stream.isProven;
    if (withoutKeys)
      log.warn('edge is told no keys of certificates: it has not the join secret', {
        agent: agent.id,
        hostname: agent.hostname,
        next: 'give it what is in master/join-secret of this data folder, as WEIR_JOIN_SECRET or as join-secret of its own data folder',
      });
    const ask = (id: string, question: AgentQuestion) =>
      stream.send(line({ kind: 'question', id, question }));
    // Those who are connected are told first: what is gathered is in what this one is given now.
    this.#tellGathered();
    this.#streams.set(agent.id, stream);
    stream.send(this.#networks() + this.#assignments(agent.id));
    if (stream.isTold) for (const words of this.#missed(held)) stream.send(words.for(stream));
    questions.connect(agent.id, ask);
    presence.connected(agent.id, clock.now(), { withoutKeys });
    await stream.closed;
    questions.disconnect(agent.id, ask);
    if (this.#streams.get(agent.id) !== stream) return;
    this.#streams.delete(agent.id);
    presence.disconnected(agent.id);
  }

  /** The whole Directory is put into words once for all who need it: it may be large, and all may come at once. */
  #missed({ revision, store }: HeldDirectory): readonly Words[] {
    const deltas = this.#dependencies.publisher.catchUp(revision, store);
    const [first] = deltas;
    if (first?.from !== 0) return deltas.map((delta) => new Words(delta));
    if (this.#whole?.revision !== first.revision)
      this.#whole = { revision: first.revision, words: new Words(first) };
    return [this.#whole.words];
  }

  #changed(change: Change): void {
    let networks = false;
    const lines = new Map<AgentStream, string>();
    for (const { table, key, value } of change.records) {
      if (table === 'networks' || table === 'leases') networks = true;
      if (table === 'placements') this.#placement(key, value as Placement | undefined, lines);
    }
    for (const [stream, text] of lines) stream.send(text);
    if (!networks) return;
    const text = this.#networks();
    for (const stream of this.#streams.values()) stream.send(text);
  }

  #placement(key: InstanceId, placement: Placement | undefined, lines: Map<AgentStream, string>): void {
    const before = this.#assigned.get(key);
    const assignment = placement && this.#assignment(placement);
    if (placement === undefined || assignment === undefined) this.#assigned.delete(key);
    else this.#assigned.set(key, placement.agentId);
    const tell = (agent: AgentId, text: string) => {
      const stream = this.#streams.get(agent);
      if (stream !== undefined) lines.set(stream, (lines.get(stream) ?? '') + text);
    };
    if (before !== undefined && before !== this.#assigned.get(key))
      tell(before, line({ kind: 'assignment-gone', instanceId: key }));
    if (placement !== undefined && assignment !== undefined)
      tell(placement.agentId, `{"kind":"assignment","set":${assignment}}\n`);
  }

  #assignments(agent: AgentId): string {
    const all = this.#dependencies.database.snapshot.placementsOn(agent).flatMap((placement) => {
      const assignment = this.#assignment(placement);
      if (assignment !== undefined) this.#assigned.set(placement.instanceId, agent);
      return assignment ?? [];
    });
    return `{"kind":"assignments","all":[${all.join(',')}]}\n`;
  }

  /** An Assignment as JSON. */
  #assignment(placement: Placement): string | undefined {
    const { snapshot } = this.#dependencies.database;
    const app = snapshot.table('versions').get(versionKey(placement.appId, placement.appVersion));
    if (app === undefined) return undefined;
    const words = this.#words.get(app) ?? JSON.stringify(app);
    this.#words.set(app, words);
    return `{"placement":${JSON.stringify(placement)},"app":${words}}`;
  }

  #networks(): string {
    const { snapshot } = this.#dependencies.database;
    const networks = [...snapshot.table('networks').values()];
    return line({ kind: 'networks', networks, leases: [...snapshot.table('leases').values()] });
  }

  /** Told at once when nothing was told just before; otherwise with what else comes within a moment. */
  #directory(delta: DirectoryDelta): void {
    this.#whole = undefined;
    this.#gathered = this.#gathered === undefined ? delta : joinDeltas(this.#gathered, delta);
    if (!this.#isGathering) this.#gather();
  }

  #gather(): void {
    this.#isGathering = this.#gathered !== undefined;
    this.#tellGathered();
    if (!this.#isGathering) return;
    this.#dependencies.clock.sleep(gatherMs, this.#stopping.signal).then(
      () => this.#gather(),
      () => {},
    );
  }

  #tellGathered(): void {
    const delta = this.#gathered;
    this.#gathered = undefined;
    if (delta === undefined) return;
    const told = [...this.#streams.values()].filter((stream) => stream.isTold);
    const words = new Words(delta);
    for (const stream of told) stream.send(words.for(stream));
  }

  #ping(): void {
    const wanted = Math.ceil((this.#streams.size / heartbeatsPerSecond) * 1_000);
    const heartbeatMs = Math.min(5_000, Math.max(1_000, wanted));
    const text = Buffer.from(line({ kind: 'ping', heartbeatMs }));
    for (const stream of this.#streams.values()) stream.send(text);
  }

  async #every(ms: number, act: () => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#dependencies.clock.sleep(ms, signal).catch(() => {});
      if (!signal.aborted) act();
    }
  }
}

/** A delta as a line, made once for all who need it; certificates with their keys only go to edges. */
class Words {
  readonly #delta: DirectoryDelta;
  #all: Buffer | undefined;
  #withoutKeys: Buffer | undefined;
  #withoutEdge: Buffer | undefined;
  #ofBefore: Words | undefined;

  constructor(delta: DirectoryDelta) {
    this.#delta = delta;
  }

  for(stream: AgentStream): Buffer {
    if (stream.knowsDraining) return this.#forPresent(stream);
    this.#ofBefore ??= new Words(withoutDraining(this.#delta));
    return this.#ofBefore.#forPresent(stream);
  }

  #forPresent({ isEdge, isProven }: AgentStream): Buffer {
    const delta = this.#delta;
    if (isEdge && isProven) {
      this.#all ??= words({ kind: 'directory', delta });
      return this.#all;
    }
    if (isEdge) {
      this.#withoutKeys ??= words({ kind: 'directory', delta: withoutKeys(delta), withheld: true });
      return this.#withoutKeys;
    }
    this.#withoutEdge ??= words({ kind: 'directory', delta: withoutEdgeParts(delta) });
    return this.#withoutEdge;
  }
}

function words(message: MasterMessage): Buffer {
  return Buffer.from(line(message));
}

function line(message: MasterMessage): string {
  return `${JSON.stringify(message)}\n`;
}
