import type { Agent } from '../../core/model/agent.ts';
import type { Instance, InstanceState } from '../../core/model/instance.ts';
import type { Assignment, MasterMessage } from '../../core/model/master-port.ts';
import { testAgent } from '../../core/state/testing/agents.ts';
import { MasterClient } from '../client.ts';

/** Speaks the agents' protocol and runs nothing: what it is given it reports as running, what must stop as killed. */
export class PretendAgent {
  readonly #client: MasterClient;
  readonly #agent: Agent;
  readonly #leaving = new AbortController();
  readonly #instances = new Map<string, Instance>();
  readonly #unsaid: Instance[] = [];
  #saying: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #heard: () => void = () => {};

  constructor(url: string, hostname: string) {
    this.#client = new MasterClient([url]);
    this.#agent = testAgent(hostname, {
      resources: { cpus: 1_000, mem: 1_000_000, disk: 1_000_000, gpus: 0 },
      ports: [{ begin: 20_000, end: 40_000 }],
    });
  }

  /** Resolves when the master has told it everything that it is to run. */
  async arrive(): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.#heard = resolve;
    });
    this.#following = this.#follow().catch((error: unknown) => {
      if (!this.#leaving.signal.aborted) throw error;
    });
    await Promise.race([ready, this.#following]);
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#following;
  }

  /** Says something else of an instance that runs. */
  async observe(
    instanceId: string,
    seen: Partial<Extract<InstanceState, { kind: 'running' }>>,
  ): Promise<void> {
    const instance = this.#instances.get(instanceId);
    if (instance?.state.kind !== 'running') throw new Error(`${instanceId} does not run here`);
    await this.#say(instance, { ...instance.state, ...seen });
  }

  /** Says that an instance ended by itself. */
  async crash(instanceId: string, reason: string): Promise<void> {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined) throw new Error(`${instanceId} does not run here`);
    await this.#say(instance, { kind: 'ended', at: Date.now(), how: 'failed', reason });
  }

  async #follow(): Promise<void> {
    const messages = this.#client.connect(this.#agent, { revision: 0 }, this.#leaving.signal);
    for await (const message of messages) {
      this.#take(message).catch((error: unknown) => {
        if (!this.#leaving.signal.aborted) this.#leaving.abort(error);
      });
    }
  }

  async #take(message: MasterMessage): Promise<void> {
    if (message.kind === 'assignments') {
      await Promise.all(message.all.map((assignment) => this.#obey(assignment)));
      await this.#report([]);
      this.#heard();
    }
    if (message.kind === 'assignment') await this.#obey(message.set);
    if (message.kind === 'assignment-gone') this.#instances.delete(message.instanceId);
    if (message.kind === 'ping') await this.#report([]);
  }

  async #obey({ placement, app }: Assignment): Promise<void> {
    const { instanceId, appId, appVersion, agentId, attempt, goal } = placement;
    const known = this.#instances.get(instanceId);
    const instance = known?.attempt === attempt ? known : undefined;
    const fresh = { instanceId, appId, appVersion, agentId, attempt, stagedAt: Date.now() };
    if (goal === 'run' && instance === undefined) {
      const starting = { kind: 'staging', step: 'starting', since: Date.now() } as const;
      const health = app.healthChecks.map(() => ({ alive: true, consecutiveFailures: 0 }));
      await this.#say(fresh, starting);
      if (this.#instances.get(instanceId)?.state !== starting) return;
      const since = Date.now();
      const containers = app.pod?.containers.map(({ name }) => ({ name, since }));
      await this.#say(fresh, {
        ...{ kind: 'running', since, addresses: [], health },
        ...(containers && { containers }),
      });
    }
    if (goal === 'stop')
      await this.#say(instance ?? fresh, {
        kind: 'ended',
        at: Date.now(),
        how: 'killed',
        reason: 'asked to',
      });
  }

  async #say(of: Omit<Instance, 'state'>, state: InstanceState): Promise<void> {
    const instance = { ...of, state };
    this.#instances.set(of.instanceId, instance);
    this.#unsaid.push(instance);
    this.#saying ??= this.#sayAll();
    await this.#saying;
  }

  /** What comes together while a report is on its way goes with the next one. */
  async #sayAll(): Promise<void> {
    try {
      while (this.#unsaid.length > 0) await this.#report(this.#unsaid.splice(0));
    } finally {
      this.#saying = undefined;
    }
  }

  async #report(instances: readonly Instance[]): Promise<void> {
    const { aborted } = this.#leaving.signal;
    if (aborted) return;
    await this.#client.report(this.#agent.id, { instances, complete: false, acks: {}, inFlight: {} });
  }
}
