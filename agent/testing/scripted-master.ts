import type { Agent } from '../../core/model/agent.ts';
import type { InstanceState } from '../../core/model/instance.ts';
import type {
  AgentAnswer,
  AgentReport,
  Assignment,
  HeldDirectory,
  MasterMessage,
  MasterPort,
} from '../../core/model/master-port.ts';
import type { Lease } from '../../core/model/network.ts';

/** A master that says what a test tells it to, and keeps what it is told. */
export class ScriptedMaster implements MasterPort {
  readonly reports: AgentReport[] = [];
  readonly answers: { readonly id: string; readonly answer: AgentAnswer }[] = [];
  /** The revisions agents said they hold, one for each connection. */
  readonly connections: number[] = [];
  /** What it says first on each connection. */
  greeting: readonly MasterMessage[] = [{ kind: 'assignments', all: [] }];
  reachable = true;
  /** Called with each report before it counts; what it throws or waits for is the report's fate. */
  onReport: (report: AgentReport) => unknown = () => {};
  readonly #streams = new Set<Stream>();

  /** The newest state that arrived, by instance. */
  get told(): ReadonlyMap<string, InstanceState> {
    return new Map(
      this.reports.flatMap(({ instances }) => instances.map((one) => [one.instanceId, one.state])),
    );
  }

  say(...messages: readonly MasterMessage[]): void {
    for (const stream of this.#streams) stream.push(messages);
  }

  /** Says it now, and first on every later connection. */
  assign(...all: readonly Assignment[]): void {
    this.greeting = [{ kind: 'assignments', all }];
    this.say(...this.greeting);
  }

  hangUp(): void {
    for (const stream of this.#streams) stream.end();
  }

  async *connect(_agent: Agent, held: HeldDirectory, signal: AbortSignal): AsyncIterable<MasterMessage> {
    if (!this.reachable) throw new Error('there is no master');
    this.connections.push(held.revision);
    const stream = new Stream(signal);
    stream.push(this.greeting);
    this.#streams.add(stream);
    try {
      yield* stream.messages();
    } finally {
      this.#streams.delete(stream);
    }
    if (!signal.aborted) throw new Error('the master closed the connection');
  }

  async report(_agent: string, report: AgentReport): Promise<void> {
    await this.onReport(report);
    this.reports.push(report);
  }

  async answer(_agent: string, id: string, answer: AgentAnswer): Promise<void> {
    this.answers.push({ id, answer });
  }

  async lease(): Promise<Lease> {
    throw new Error('the test needs no lease');
  }
}

class Stream {
  readonly #waiting: MasterMessage[] = [];
  #ended = false;
  #changed = Promise.withResolvers<void>();

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.end());
  }

  push(messages: readonly MasterMessage[]): void {
    this.#waiting.push(...messages);
    this.#changed.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#changed.resolve();
  }

  async *messages(): AsyncIterable<MasterMessage> {
    for (;;) {
      this.#changed = Promise.withResolvers();
      for (const message of this.#waiting.splice(0)) yield message;
      if (this.#ended) return;
      if (this.#waiting.length === 0) await this.#changed.promise;
    }
  }
}
