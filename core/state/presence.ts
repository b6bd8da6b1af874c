import type { AgentId, InstanceId } from '../model/ids.ts';
import type { AgentReport } from '../model/master-port.ts';

/** What the leader knows of an agent beyond the tables; stated anew by the agent whenever it connects. */
export type AgentPresence = {
  /** ms since the epoch. */
  readonly lastHeard: number;
  readonly connected: boolean;
  /** Directory revision in force, by consumer. */
  readonly acks: Readonly<Record<string, number>>;
  readonly inFlight: Readonly<Record<InstanceId, number>>;
};

/**
 * Heartbeats and acknowledgements. Kept in the leader's memory, not in the store: they are worthless after a
 * restart (every agent states them again) and would cost a durable write each.
 */
export class Presence {
  readonly #agents = new Map<AgentId, AgentPresence>();
  readonly #listeners = new Set<() => void>();

  get agents(): ReadonlyMap<AgentId, AgentPresence> {
    return this.#agents;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  connected(agent: AgentId, now: number): void {
    this.#set(agent, { lastHeard: now, connected: true, acks: {}, inFlight: {} });
  }

  disconnected(agent: AgentId): void {
    const presence = this.#agents.get(agent);
    if (presence !== undefined) this.#set(agent, { ...presence, connected: false });
  }

  reported(agent: AgentId, report: AgentReport, now: number): void {
    const connected = this.#agents.get(agent)?.connected ?? false;
    this.#set(agent, { lastHeard: now, connected, acks: report.acks, inFlight: report.inFlight });
  }

  forget(agent: AgentId): void {
    this.#agents.delete(agent);
  }

  #set(agent: AgentId, presence: AgentPresence): void {
    this.#agents.set(agent, presence);
    for (const listener of [...this.#listeners]) listener();
  }
}
