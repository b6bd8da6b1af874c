import type { Clock } from '../../../core/kit/clock.ts';
import {
  type Container,
  type ContainerEnd,
  type ContainerExit,
  type ContainerId,
  type ContainerRuntime,
  type ContainerSpec,
  type ExecCommand,
  ExecFailed,
  type ExecResult,
  type LogLine,
  type LogOptions,
  NoSuchContainer,
  NotRunning,
  StartFailed,
} from '../../runtime.ts';
import type { FakeContainer, FakeMachine } from './fake-machine.ts';

/** Containers in memory, for tests and simulations; time is the clock's. */
export class FakeRuntime implements ContainerRuntime {
  readonly name = 'fake';
  readonly #machine: FakeMachine;
  readonly #clock: Clock;

  constructor(options: { machine: FakeMachine; clock: Clock }) {
    this.#machine = options.machine;
    this.#clock = options.clock;
  }

  async list(): Promise<readonly Container[]> {
    return this.#machine.containers.map(({ spec, state }) => {
      return { id: spec.id, labels: spec.labels, logDir: spec.logDir, state };
    });
  }

  async create(spec: ContainerSpec): Promise<void> {
    this.#machine.add(structuredClone(spec));
  }

  async start(id: ContainerId): Promise<void> {
    const { spec, state } = this.#get(id, 'start');
    const { missing } = this.#machine.programOf(spec);
    if (state.kind === 'created' && missing !== undefined) throw new StartFailed(id, missing);
    this.#machine.run(id);
  }

  async stop(id: ContainerId, graceMs: number): Promise<ContainerEnd> {
    const { spec } = this.#get(id, 'stop');
    const { ignoresTerm, termCode } = this.#machine.programOf(spec);
    this.#machine.endUnstarted(id);
    if (graceMs > 0 && !ignoresTerm) this.#machine.end(id, termCode ?? 143);
    if (this.#get(id, 'stop').state.kind === 'running') {
      await this.#clock.sleep(graceMs);
      this.#machine.end(id, 137);
    }
    const { state } = this.#get(id, 'stop');
    if (state.kind === 'ended') return state.end;
    throw new NoSuchContainer(id, 'stop');
  }

  async remove(id: ContainerId): Promise<void> {
    this.#machine.remove(id);
  }

  async *exits(signal: AbortSignal): AsyncIterable<ContainerExit> {
    const told = new Set<FakeContainer>();
    while (!signal.aborted) {
      const changed = this.#machine.change(signal);
      for (const container of this.#machine.containers) {
        if (container.state.kind !== 'ended' || told.has(container)) continue;
        told.add(container);
        yield { id: container.spec.id, end: container.state.end };
        if (signal.aborted) return;
      }
      await changed;
    }
  }

  async exec(id: ContainerId, command: ExecCommand): Promise<ExecResult> {
    const { spec, state } = this.#get(id, 'run a command in');
    if (state.kind !== 'running') throw new NotRunning(id, 'run a command in');
    const result = this.#machine.programOf(spec).exec?.(command) ?? { exitCode: 0, output: '' };
    if (result !== 'hang') return result;
    await this.#clock.sleep(command.timeoutMs);
    throw new ExecFailed(id, `no end within ${command.timeoutMs} ms`);
  }

  async *log(logDir: string, options: LogOptions): AsyncIterable<LogLine> {
    const { stream, tail, follow } = options;
    const wanted = () =>
      this.#machine.log(logDir).filter((line) => stream === undefined || line.stream === stream);
    let told = Math.max(0, wanted().length - tail);
    for (;;) {
      const changed = follow === undefined ? undefined : this.#machine.change(follow);
      for (const line of wanted().slice(told)) {
        yield line;
        told += 1;
      }
      if (follow === undefined || follow.aborted) return;
      await changed;
    }
  }

  #get(id: ContainerId, action: string): FakeContainer {
    const container = this.#machine.find(id);
    if (container === undefined) throw new NoSuchContainer(id, action);
    return container;
  }
}
