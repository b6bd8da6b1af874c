import { Agent as Pool, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Agent } from '../core/model/agent.ts';
import type { Instance, InstanceState } from '../core/model/instance.ts';
import type { AgentReport, Assignment, MasterMessage } from '../core/model/master-port.ts';
import { testAgent } from '../core/state/testing/agents.ts';

/** As agents do (agent/agent.ts). */
const heartbeatMs = 1_000;

export type Counts = {
  connected: number;
  running: number;
  messages: number;
  reports: number;
  worstMs: number;
};

/**
 * Agents without machines: they speak the agents' protocol over HTTP (a stream each, reports, a heartbeat each second) and
 * say of whatever they are given that it runs: their runtime starts at once.
 */
export class SimulatedAgents {
  readonly counts: Counts = { connected: 0, running: 0, messages: 0, reports: 0, worstMs: 0 };
  readonly #url: string;
  /** Streams stay open, each on a connection of its own. */
  readonly #streams = new Pool({ keepAlive: true });
  readonly #reports = new Pool({ keepAlive: true, maxSockets: 256 });

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves when the master has sent each its assignments. At most `atOnce` connect at the same time. */
  async arrive(agents: readonly Agent[], atOnce = 100): Promise<void> {
    const waiting = [...agents];
    const lane = async () => {
      for (let agent = waiting.pop(); agent !== undefined; agent = waiting.pop()) await this.#connect(agent);
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
  }

  #connect(agent: Agent): Promise<void> {
    const one = new One(agent, (report) => this.#report(agent.id, report), this.counts);
    return new Promise((resolve, reject) => {
      const path = `${this.#url}/v1/agents/${agent.id}/stream?since=0`;
      const stream = request(path, { method: 'POST', agent: this.#streams, headers: json });
      stream.on('error', reject);
      stream.on('response', (response) => {
        response.setEncoding('utf8');
        let rest = '';
        response.on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            this.counts.messages += 1;
            const message = JSON.parse(line) as MasterMessage;
            one.take(message);
            if (message.kind === 'assignments') {
              this.counts.connected += 1;
              resolve();
            }
          }
        });
        response.on('close', () => {
          this.counts.connected -= 1;
          one.leave();
        });
      });
      stream.end(JSON.stringify(agent));
    });
  }

  #report(agent: string, report: AgentReport): Promise<void> {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const path = `${this.#url}/v1/agents/${agent}/report`;
      const call = request(path, { method: 'POST', agent: this.#reports, headers: json });
      call.on('error', reject);
      call.on('response', async (response) => {
        const answer = await text(response);
        if (response.statusCode !== 204) return reject(new Error(`${response.statusCode} ${answer}`));
        this.counts.reports += 1;
        this.counts.worstMs = Math.max(this.counts.worstMs, performance.now() - began);
        resolve();
      });
      call.end(JSON.stringify(report));
    });
  }
}

const json = { 'content-type': 'application/json' };

/** One of them: reports go out one at a time, and what happens meanwhile goes with the next. */
class One {
  readonly #agent: Agent;
  readonly #send: (report: AgentReport) => Promise<void>;
  readonly #counts: Counts;
  readonly #instances = new Map<string, Instance>();
  readonly #held = new Set<string>();
  readonly #unsaid = new Map<string, Instance>();
  #beat: NodeJS.Timeout;
  #heartbeatMs = heartbeatMs;
  #saying: Promise<void> | undefined;
  #acks: Record<string, number> = {};
  #complete = true;

  constructor(agent: Agent, send: (report: AgentReport) => Promise<void>, counts: Counts) {
    this.#agent = agent;
    this.#send = send;
    this.#counts = counts;
    this.#beat = setInterval(() => this.#say(), this.#heartbeatMs);
  }

  leave(): void {
    clearInterval(this.#beat);
  }

  take(message: MasterMessage): void {
    // What is there from the start ran before, and the master knows it.
    if (message.kind === 'assignments')
      for (const { placement } of message.all) this.#held.add(placement.instanceId);
    if (message.kind === 'assignment') this.#obey(message.set);
    if (message.kind === 'assignment-gone') this.#instances.delete(message.instanceId);
    if (message.kind === 'directory')
      this.#acks = Object.fromEntries(this.#agent.consumers.map((name) => [name, message.delta.revision]));
    if (message.kind === 'ping') this.#beatEvery(message.heartbeatMs ?? heartbeatMs);
    else this.#say();
  }

  #beatEvery(ms: number): void {
    if (ms === this.#heartbeatMs) return;
    this.#heartbeatMs = ms;
    clearInterval(this.#beat);
    this.#beat = setInterval(() => this.#say(), ms);
  }

  #obey({ placement, app }: Assignment): void {
    const { instanceId, appId, appVersion, agentId, attempt, goal } = placement;
    if (goal === 'run' && this.#held.has(instanceId)) return;
    const [known, now] = [this.#instances.get(instanceId), Date.now()];
    const as = (state: InstanceState): Instance => ({
      ...{ instanceId, appId, appVersion, agentId, attempt, state },
      stagedAt: known?.stagedAt ?? now,
    });
    if (goal === 'run' && known?.attempt !== attempt) {
      const health = app.healthChecks.map(() => ({ alive: true, consecutiveFailures: 0, firstSuccess: now }));
      this.#is(as({ kind: 'running', since: now, addresses: [], health }));
    }
    if (goal === 'stop' && known?.state.kind !== 'ended')
      this.#is(as({ kind: 'ended', at: now, how: 'killed', reason: 'asked to' }));
  }

  #is(instance: Instance): void {
    this.#instances.set(instance.instanceId, instance);
    this.#unsaid.set(instance.instanceId, instance);
  }

  #say(): void {
    // What comes in the same turn goes together.
    this.#saying ??= Promise.resolve()
      .then(() => this.#sayAll())
      .finally(() => {
        this.#saying = undefined;
      });
  }

  async #sayAll(): Promise<void> {
    do {
      const instances = [...this.#unsaid.values()];
      this.#unsaid.clear();
      await this.#send({ instances, complete: this.#complete, acks: this.#acks, inFlight: {} });
      this.#complete = false;
      for (const { state } of instances) if (state.kind === 'running') this.#counts.running += 1;
    } while (this.#unsaid.size > 0);
  }
}

/** Of four sizes; the first `consuming` run consumers of the Directory, as machines with a resolver and an edge do. */
export function fleet(count: number, consuming: number): readonly Agent[] {
  return Array.from({ length: count }, (_, index) => {
    const cpus = [8, 16, 32, 64][(index * 7) % 4] ?? 8;
    return testAgent(`n${index}`, {
      address: `100.64.${index >> 8}.${index & 255}`,
      resources: { cpus, mem: cpus * 2048, disk: 100_000, gpus: 0 },
      attributes: { rack: `r${index % 100}`, zone: `z${index % 4}` },
      consumers: index < consuming ? ['dns'] : [],
    });
  });
}
