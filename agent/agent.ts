import type { Clock } from '../core/kit/clock.ts';
import { errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import { Loop } from '../core/kit/loop.ts';
import type { Part } from '../core/kit/part.ts';
import type { Agent as AgentRecord } from '../core/model/agent.ts';
import { networkNames } from '../core/model/app.ts';
import type { DirectoryConsumer } from '../core/model/consumer.ts';
import { type Directory, keepingKeys } from '../core/model/directory.ts';
import type { InstanceId } from '../core/model/ids.ts';
import type {
  AgentQuestion,
  Assignment,
  HeldDirectory,
  MasterMessage,
  MasterPort,
} from '../core/model/master-port.ts';
import type { Lease, Network } from '../core/model/network.ts';
import { adoptAll } from './adopt.ts';
import { attachmentId } from './attach.ts';
import { Consumers } from './consumers.ts';
import { DirectoryFile } from './directory-file.ts';
import { followExits } from './exits.ts';
import { GeneralChecks, type Look } from './general-check.ts';
import { HealthChecks, type Probe } from './health.ts';
import { Instances } from './instances.ts';
import { Journal } from './journal.ts';
import { type PerformDependencies, Performer } from './perform.ts';
import { type Poll, ReadinessChecks } from './readiness.ts';
import { recordKey } from './record.ts';
import type { ContainerRuntime } from './runtime.ts';
import type { WhileRunning } from './while-running.ts';
import { Work } from './work.ts';

export type AgentDependencies = Omit<PerformDependencies, 'instances'> & {
  readonly master: MasterPort;
  readonly runtime: ContainerRuntime;
  readonly consumers: readonly DirectoryConsumer[];
  readonly probe: Probe;
  readonly poll: Poll;
  readonly look: Look;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes this host's networks what the master says; whole sets, every time. */
  readonly networks: HostNetworks;
  /** Answers what the master asks on somebody's behalf (a log, an explanation of a DNS answer). */
  readonly answer: (question: AgentQuestion) => Promise<unknown>;
};

export type HostNetworks = {
  set(networks: readonly Network[], leases: readonly Lease[]): void;
  /** Called once before anything is attached: attachments that are not among these are taken down. */
  recover(
    valid: readonly { readonly network: string; readonly instanceId: string; readonly ifName: string }[],
  ): Promise<void>;
};

export type AgentOptions = {
  readonly record: AgentRecord;
  /** Folder for the journal and the last Directory. */
  readonly dataDir: string;
};

/** Reports go out at least this often, unless the master wants fewer: they are also the heartbeat. */
const heartbeatMs = 1_000;
/** While something drains, what is still in flight is looked at this often. */
const drainPollMs = 50;
const reconnectMs = 200;

/** `complete`: the master has heard everything over it. */
type Connection = { complete: boolean };

/**
 * One machine's part of the cluster: makes its containers, networks, names, virtual IPs and routes what the master says,
 * and reports what is. Without a master everything it last knew goes on.
 */
export class Agent implements Part {
  readonly #dependencies: AgentDependencies;
  readonly #options: AgentOptions;
  readonly #instances: Instances;
  readonly #consumers: Consumers;
  readonly #performer: Performer;
  readonly #work: Work;
  readonly #checks: readonly WhileRunning[];
  readonly #directoryFile: DirectoryFile;
  readonly #decideLoop: Loop;
  readonly #reportLoop: Loop;
  #assignments: Map<string, Assignment> | undefined;
  /** Undefined while there is no connection; another object for each. */
  #connection: Connection | undefined;
  #heartbeatMs = heartbeatMs;
  #polling = false;
  #stopping = new AbortController();
  #background: Promise<unknown>[] = [];

  constructor(dependencies: AgentDependencies, options: AgentOptions) {
    const { clock, log } = dependencies;
    this.#dependencies = dependencies;
    this.#options = options;
    this.#decideLoop = new Loop(() => this.#decide(), { name: 'agent', clock, log });
    this.#reportLoop = new Loop((signal) => this.#report(signal), {
      name: 'report',
      clock,
      log,
      everyMs: () => this.#heartbeatMs,
    });
    this.#instances = new Instances(new Journal(`${options.dataDir}/instances`, log), () => {
      this.#decideLoop.wake();
      this.#reportLoop.wake();
    });
    this.#consumers = new Consumers(dependencies.consumers, {
      clock,
      log,
      onAck: () => this.#reportLoop.wake(),
    });
    this.#performer = new Performer({ ...dependencies, instances: this.#instances });
    this.#work = new Work({
      performer: this.#performer,
      instances: this.#instances,
      clock,
      log,
      onDone: () => this.#decideLoop.wake(),
    });
    const means = { ...dependencies, instances: this.#instances };
    this.#checks = [new HealthChecks(means), new ReadinessChecks(means), new GeneralChecks(means)];
    this.#directoryFile = new DirectoryFile(`${options.dataDir}/directory.json`, log, {
      edge: options.record.edge,
    });
  }

  /** Instances this agent has, by record key. */
  get instances(): Instances {
    return this.#instances;
  }

  /** Every consumer has the newest Directory this agent knows in force. */
  get inForce(): boolean {
    const { revision } = this.#consumers.directory;
    return revision > 0 && Object.values(this.#consumers.acks).every((ack) => ack >= revision);
  }

  /** Revision in force, by consumer. */
  get acks(): Readonly<Record<string, number>> {
    return this.#consumers.acks;
  }

  /** The newest Directory this agent knows. */
  get directory(): Directory {
    return this.#consumers.directory;
  }

  /** Tells the master of all instances again, and gives all consumers the whole Directory again. */
  renew(): void {
    if (this.#connection !== undefined) this.#connection = { complete: false };
    this.#reportLoop.wake();
    this.#consumers.renew();
  }

  async start(): Promise<void> {
    const { runtime, volumes, clock, log } = this.#dependencies;
    this.#stopping = new AbortController();
    this.#work.start();
    await this.#instances.load();
    await adoptAll(this.#instances, runtime, { now: clock.now(), log });
    await volumes.keep(new Set(this.#instances.all.keys()));
    await this.#dependencies.networks.recover(this.#attachments());
    const kept = await this.#directoryFile.load();
    if (kept !== undefined) this.#consumers.load(kept);
    await this.#consumers.start();
    await this.#decideLoop.start();
    await this.#reportLoop.start();
    const exits = {
      runtime,
      instances: this.#instances,
      performer: this.#performer,
      work: this.#work,
      clock,
      log,
    };
    this.#background = [followExits(exits, this.#stopping.signal), this.#followMaster(this.#stopping.signal)];
  }

  /** Containers go on; the next start adopts them. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#background);
    await this.#decideLoop.stop();
    for (const checks of this.#checks) checks.stop();
    await this.#work.stop();
    await this.#reportLoop.stop();
    await this.#consumers.stop();
    await this.#directoryFile.save(this.#consumers.directory);
  }

  #attachments() {
    const live = [...this.#instances.all.values()].filter((record) => !record.cleaned);
    return live.flatMap(({ assignment }) =>
      networkNames(assignment.app).map((network, index) => ({
        network,
        instanceId: attachmentId(assignment),
        ifName: `eth${index}`,
      })),
    );
  }

  async #decide(): Promise<void> {
    for (const checks of this.#checks) checks.follow();
    this.#work.begin(this.#assignments);
  }

  /** Nothing, while certificates are missing in what was kept: then the master gives the whole. */
  get #held(): HeldDirectory {
    const { directory } = this.#consumers;
    return this.#directoryFile.complete ? directory : { ...directory, revision: 0 };
  }

  async #followMaster(signal: AbortSignal): Promise<void> {
    const { master, clock, log } = this.#dependencies;
    let lost = false;
    while (!signal.aborted) {
      try {
        for await (const message of master.connect(this.#options.record, this.#held, signal)) {
          if (lost) log.info('connected to the master again');
          lost = false;
          this.#take(message);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!lost)
          log.warn('no connection to the master, going on with what is known', { error: errorText(error) });
        lost = true;
      }
      this.#connection = undefined;
      await clock.sleep(reconnectMs, signal).catch(() => {});
    }
  }

  #take(message: MasterMessage): void {
    switch (message.kind) {
      case 'assignments':
        this.#assignments = new Map(message.all.map((assignment) => [recordKey(assignment), assignment]));
        this.#connection = { complete: false };
        this.#reportLoop.wake();
        this.#decideLoop.wake();
        return;
      case 'assignment':
        // Another attempt takes the place of the one before.
        this.#unassign(message.set.placement.instanceId);
        this.#assignments?.set(recordKey(message.set), message.set);
        this.#decideLoop.wake();
        return;
      case 'assignment-gone':
        this.#unassign(message.instanceId);
        this.#decideLoop.wake();
        return;
      case 'networks':
        this.#dependencies.networks.set(message.networks, message.leases);
        return;
      case 'directory':
        this.#takeDirectory(message);
        return;
      case 'question':
        void this.#answer(message.id, message.question);
        return;
      case 'ping':
        this.#heartbeatMs = message.heartbeatMs ?? heartbeatMs;
        return;
    }
  }

  /** An edge without the join secret goes on with the keys it has; when it has the secret it is given the whole. */
  #takeDirectory({ delta, ...message }: Extract<MasterMessage, { kind: 'directory' }>): void {
    const withheld = message.withheld === true;
    if (withheld && !this.#directoryFile.withheld)
      this.#dependencies.log.warn('the master tells no keys of certificates: this edge has no join secret', {
        next: "give it the one in master/join-secret of the master's data folder: WEIR_JOIN_SECRET",
      });
    this.#consumers.take(withheld ? keepingKeys(delta, this.#consumers.directory) : delta);
    this.#directoryFile.changed(() => this.#consumers.directory, { withheld });
  }

  #unassign(instance: InstanceId): void {
    for (const [key, { placement }] of this.#assignments ?? []) {
      if (placement.instanceId === instance) this.#assignments?.delete(key);
    }
  }

  async #answer(id: string, question: AgentQuestion): Promise<void> {
    const { master, answer, log } = this.#dependencies;
    const reply = await answer(question).then(
      (value) => ({ value }),
      (error: unknown) => ({ error: errorText(error) }),
    );
    await master
      .answer(this.#options.record.id, id, reply)
      .catch((error: unknown) => log.warn('answer lost', { error: errorText(error) }));
  }

  async #report(signal: AbortSignal): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const complete = !connection.complete;
    const { store } = this.#consumers.directory;
    const { acks, ...carried } = await this.#consumers.status();
    const unreported = complete
      ? { instances: this.#instances.everything(), restore: () => {} }
      : this.#instances.takeUnreported();
    try {
      const { instances } = unreported;
      await this.#dependencies.master.report(this.#options.record.id, {
        instances,
        complete,
        acks,
        ...(store === undefined ? {} : { store }),
        ...carried,
      });
      connection.complete = true;
    } catch (error) {
      unreported.restore();
      if (signal.aborted) return;
      throw error;
    }
    if (Object.keys(carried.inFlight).length > 0) this.#pollSoon(signal);
  }

  /** One at a time, however many reports other changes cause meanwhile. */
  #pollSoon(signal: AbortSignal): void {
    if (this.#polling) return;
    this.#polling = true;
    this.#dependencies.clock
      .sleep(drainPollMs, signal)
      .catch(() => {})
      .then(() => {
        this.#polling = false;
        this.#reportLoop.wake();
      });
  }
}
