import type { Clock } from '../../../core/kit/clock.ts';
import type {
  ContainerEnd,
  ContainerId,
  ContainerSpec,
  ContainerState,
  ExecCommand,
  ExecResult,
  LogLine,
} from '../../runtime.ts';
import { describe } from '../local/ending.ts';

/** How a program behaves that is not there. */
export type FakeProgram = {
  /** What it writes when it starts. */
  readonly log?: readonly LogLine[];
  /** Ends by itself as soon as it has started. Absent: runs until `stop` or `FakeMachine.end`. */
  readonly exitCode?: number;
  readonly ignoresTerm?: boolean;
  /** Its exit code when it is asked to end; absent: 143. */
  readonly termCode?: number;
  /** Why it cannot be started. */
  readonly missing?: string;
  /** Absent: every command ends with 0. `hang`: with the time given to it. */
  readonly exec?: (command: ExecCommand) => ExecResult | 'hang';
};

export type FakeContainer = { readonly spec: ContainerSpec; readonly state: ContainerState };

/** What outlives a runtime object: containers, logs. A "restarted agent" is a new FakeRuntime on the same machine. */
export class FakeMachine {
  readonly #clock: Clock;
  readonly #programOf: (spec: ContainerSpec) => FakeProgram;
  readonly #containers = new Map<ContainerId, FakeContainer>();
  readonly #logs = new Map<string, LogLine[]>();
  readonly #listeners = new Set<() => void>();
  #lastPid = 1_000;

  constructor(options: { clock: Clock; programOf?: (spec: ContainerSpec) => FakeProgram }) {
    this.#clock = options.clock;
    this.#programOf = options.programOf ?? (() => ({}));
  }

  get containers(): readonly FakeContainer[] {
    return [...this.#containers.values()];
  }

  find(id: ContainerId): FakeContainer | undefined {
    return this.#containers.get(id);
  }

  programOf(spec: ContainerSpec): FakeProgram {
    return this.#programOf(spec);
  }

  add(spec: ContainerSpec): void {
    if (!this.#containers.has(spec.id)) this.#containers.set(spec.id, { spec, state: { kind: 'created' } });
  }

  run(id: ContainerId): void {
    const container = this.#containers.get(id);
    if (container?.state.kind !== 'created') return;
    const program = this.#programOf(container.spec);
    this.#lastPid += 1;
    this.#set(container.spec, { kind: 'running', pid: this.#lastPid, since: this.#clock.now() });
    this.write(container.spec.logDir, program.log ?? []);
    if (program.exitCode !== undefined) this.end(id, program.exitCode);
  }

  /** The program ends by itself. */
  end(id: ContainerId, exitCode: number, options: { oom?: boolean } = {}): void {
    const container = this.#containers.get(id);
    if (container?.state.kind !== 'running') return;
    const circumstances = { at: this.#clock.now(), oom: options.oom ?? false, mem: container.spec.mem };
    this.#set(container.spec, { kind: 'ended', end: describe(exitCode, circumstances) });
  }

  endUnstarted(id: ContainerId): void {
    const container = this.#containers.get(id);
    if (container?.state.kind !== 'created') return;
    const end: ContainerEnd = { at: this.#clock.now(), oom: false, reason: 'stopped before it was started' };
    this.#set(container.spec, { kind: 'ended', end });
  }

  remove(id: ContainerId): void {
    this.#containers.delete(id);
    this.#changed();
  }

  write(logDir: string, lines: readonly LogLine[]): void {
    this.#logs.set(logDir, [...this.log(logDir), ...lines]);
    this.#changed();
  }

  log(logDir: string): readonly LogLine[] {
    return this.#logs.get(logDir) ?? [];
  }

  /** Resolves at the next change, or when the signal aborts. */
  change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#listeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#listeners.add(done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }

  #set(spec: ContainerSpec, state: ContainerState): void {
    this.#containers.set(spec.id, { spec, state });
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
