import type { AgentId, InstanceId } from '../model/ids.ts';
import type { ListenerState } from '../model/listener.ts';
import type { AgentReport } from '../model/master-port.ts';

/** What the leader knows of an agent beyond the tables; stated anew by the agent whenever it connects. */
export type AgentPresence = {
  /** ms since the epoch. */
  readonly lastHeard: number;
  readonly connected: boolean;
  /** Directory revision in force, by consumer. */
  readonly acks: Readonly<Record<string, number>>;
  readonly inFlight: Readonly<Record<InstanceId, number>>;
  /** What became of the listeners on its edge; absent: it has none, or is of before. */
  readonly listeners?: readonly ListenerState[];
  /** An edge that has not proved itself. */
  readonly withoutKeys?: true;
};

/**
 * Heartbeats and acknowledgements. Kept in the leader's memory, not in the store: they are worthless after a
 * restart (every agent states them again) and would cost a durable write each.
 */
export class Presence {
  readonly #agents = new Map<AgentId, AgentPresence>();
  readonly #listeners = new Set<(agent: AgentId) => void>();
  readonly #noticedGapMs: number;

  /** `noticedGapMs`: after a silence like this somebody may have counted an agent as lost. */
  constructor(noticedGapMs: number) {
    this.#noticedGapMs = noticedGapMs;
  }

  get agents(): ReadonlyMap<AgentId, AgentPresence> {
    return this.#agents;
  }

  /** Called with the agent; not for a heartbeat that says nothing new. Returns the function that ends the subscription. */
  onChange(listener: (agent: AgentId) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  connected(agent: AgentId, now: number, { withoutKeys = false } = {}): void {
    const keys = withoutKeys ? ({ withoutKeys } as const) : {};
    this.#set(agent, { lastHeard: now, connected: true, acks: {}, inFlight: {}, ...keys });
  }

  disconnected(agent: AgentId): void {
    const presence = this.#agents.get(agent);
    if (presence !== undefined) this.#set(agent, { ...presence, connected: false });
  }

  reported(agent: AgentId, report: AgentReport, now: number): void {
    const before = this.#agents.get(agent);
    const after = {
      lastHeard: now,
      connected: before?.connected ?? false,
      acks: report.acks,
      inFlight: report.inFlight,
      ...(report.listeners && { listeners: report.listeners }),
      ...(before?.withoutKeys && { withoutKeys: before.withoutKeys }),
    };
    if (before !== undefined && this.#saysNothingNew(before, after)) this.#agents.set(agent, after);
    else this.#set(agent, after);
  }

  forget(agent: AgentId): void {
    if (this.#agents.delete(agent)) this.#tell(agent);
  }

  #set(agent: AgentId, presence: AgentPresence): void {
    this.#agents.set(agent, presence);
    this.#tell(agent);
  }

  #tell(agent: AgentId): void {
    for (const listener of [...this.#listeners]) listener(agent);
  }

  #saysNothingNew(before: AgentPresence, after: AgentPresence): boolean {
    return (
      after.lastHeard - before.lastHeard < this.#noticedGapMs &&
      isSame(before.acks, after.acks) &&
      isSame(before.inFlight, after.inFlight)
    );
  }
}

type Counts = Readonly<Record<string, number>>;

function isSame(a: Counts, b: Counts): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
