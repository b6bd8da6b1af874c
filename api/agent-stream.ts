import type { ServerResponse } from 'node:http';
import type { DirectoryDelta } from '../core/model/directory.ts';
import type { AgentId, InstanceId } from '../core/model/ids.ts';
import type { AgentQuestion, Assignment, MasterMessage } from '../core/model/master-port.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Change } from '../core/state/store.ts';
import { versionKey } from '../core/state/tables.ts';
import type { ApiDependencies } from './dependencies.ts';

/** An agent that does not read this much is cut off; it connects again and gets what it missed. */
const mostUnreadBytes = 64 * 1024 * 1024;
const pingMs = 2_000;

type StreamDependencies = Pick<
  ApiDependencies,
  'database' | 'publisher' | 'presence' | 'questions' | 'clock' | 'log'
>;

/**
 * The master's side of one agent's connection: first everything the agent needs, then each change as it happens, one
 * JSON object a line.
 */
export class AgentStream {
  readonly #agent: AgentId;
  readonly #response: ServerResponse;
  readonly #dependencies: StreamDependencies;
  readonly #assigned = new Set<InstanceId>();
  readonly #ask = (id: string, question: AgentQuestion) => this.#send({ kind: 'question', id, question });

  constructor(agent: AgentId, response: ServerResponse, dependencies: StreamDependencies) {
    this.#agent = agent;
    this.#response = response;
    this.#dependencies = dependencies;
  }

  /** Serves until the connection closes. `since`: the Directory revision the agent holds. */
  async serve(since: number): Promise<void> {
    const { database, publisher, presence, questions, clock } = this.#dependencies;
    this.#response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const closed = new AbortController();
    this.#response.on('close', () => closed.abort());
    this.#sendNetworks();
    this.#sendAssignments();
    for (const delta of publisher.catchUp(since)) this.#send({ kind: 'directory', delta });
    const ends = [
      database.onChange((change) => this.#changed(change)),
      publisher.subscribe((delta: DirectoryDelta) => this.#send({ kind: 'directory', delta })),
    ];
    questions.connect(this.#agent, this.#ask);
    presence.connected(this.#agent, clock.now());
    while (!closed.signal.aborted) {
      await clock.sleep(pingMs, closed.signal).catch(() => {});
      if (!closed.signal.aborted) this.#send({ kind: 'ping' });
    }
    for (const end of ends) end();
    questions.disconnect(this.#agent, this.#ask);
  }

  #changed(change: Change): void {
    let networks = false;
    for (const { table, key, value } of change.records) {
      if (table === 'networks' || table === 'leases') networks = true;
      if (table === 'placements') this.#placement(key, value as Placement | undefined);
    }
    if (networks) this.#sendNetworks();
  }

  #placement(key: InstanceId, placement: Placement | undefined): void {
    const assignment = placement?.agentId === this.#agent ? this.#assignment(placement) : undefined;
    if (assignment !== undefined) {
      this.#assigned.add(key);
      this.#send({ kind: 'assignment', set: assignment });
    } else if (this.#assigned.delete(key)) {
      this.#send({ kind: 'assignment-gone', instanceId: key });
    }
  }

  #sendAssignments(): void {
    const placements = this.#dependencies.database.snapshot.placementsOn(this.#agent);
    const all = placements.flatMap((placement) => this.#assignment(placement) ?? []);
    for (const { placement } of all) this.#assigned.add(placement.instanceId);
    this.#send({ kind: 'assignments', all });
  }

  #assignment(placement: Placement): Assignment | undefined {
    const { snapshot } = this.#dependencies.database;
    const app = snapshot.table('versions').get(versionKey(placement.appId, placement.appVersion));
    return app && { placement, app };
  }

  #sendNetworks(): void {
    const { snapshot } = this.#dependencies.database;
    const networks = [...snapshot.table('networks').values()];
    this.#send({ kind: 'networks', networks, leases: [...snapshot.table('leases').values()] });
  }

  #send(message: MasterMessage): void {
    if (this.#response.destroyed) return;
    this.#response.write(`${JSON.stringify(message)}\n`);
    if (this.#response.writableLength <= mostUnreadBytes) return;
    this.#dependencies.log.warn('agent does not read, closing its stream', { agent: this.#agent });
    this.#response.destroy();
  }
}
