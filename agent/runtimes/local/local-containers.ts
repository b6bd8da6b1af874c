import type { Clock } from '../../../core/kit/clock.ts';
import {
  type Container,
  type ContainerEnd,
  type ContainerExit,
  type ContainerId,
  type ContainerState,
  NoSuchContainer,
} from '../../runtime.ts';
import { Doorbell } from './doorbell.ts';
import { recordUnseenEnd } from './ending.ts';
import { exitsDir } from './paths.ts';
import { type ContainerRecord, ContainerRecords } from './records.ts';
import { type StateSource, stateOf } from './state.ts';

/** An end that no monitor records (the monitor itself was killed) is found this much later at most. */
const sweepMs = 2_000;

export type LocalContainersOptions = {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly source: StateSource;
  /** Keeps a log within bounds; called every few seconds while `exits` is read. */
  readonly tendLog: (logDir: string) => Promise<void>;
};

/** What every runtime with monitors and records on disk does alike: find, list, wait for ends. */
export class LocalContainers {
  readonly records: ContainerRecords;
  readonly #dataDir: string;
  readonly #clock: Clock;
  readonly #source: StateSource;
  readonly #tendLog: (logDir: string) => Promise<void>;
  /** A start under way here: its claim may be half written, so it is not looked at. */
  readonly #starting = new Map<string, Promise<void>>();

  constructor(options: LocalContainersOptions) {
    this.records = new ContainerRecords(options.dataDir);
    this.#dataDir = options.dataDir;
    this.#clock = options.clock;
    this.#source = options.source;
    this.#tendLog = options.tendLog;
  }

  async list(): Promise<readonly Container[]> {
    const records = await this.records.list();
    return Promise.all(
      records.map(async (record) => {
        const { id, labels, logDir } = record.spec;
        return { id, labels, logDir, state: await this.state(record) };
      }),
    );
  }

  async state(record: ContainerRecord): Promise<ContainerState> {
    if (this.#starting.has(record.paths.name)) return { kind: 'created' };
    return stateOf(record, this.#source);
  }

  /** The state when no start is under way here any more, however that went. */
  async settled(record: ContainerRecord): Promise<ContainerState> {
    await this.#starting.get(record.paths.name)?.catch(() => {});
    return this.state(record);
  }

  /** Throws NoSuchContainer, which names the action. */
  async get(id: ContainerId, action: string): Promise<ContainerRecord> {
    const record = await this.records.find(id);
    if (record === undefined) throw new NoSuchContainer(id, action);
    return record;
  }

  /** Calls `launch` for a container that never ran; calls for the same one that overlap share one launch. */
  async startOnce(record: ContainerRecord, launch: () => Promise<void>): Promise<void> {
    const { name } = record.paths;
    const underWay = this.#starting.get(name);
    if (underWay !== undefined) return underWay;
    if ((await this.state(record)).kind !== 'created') return;
    const started = this.#starting.get(name) ?? launch().finally(() => this.#starting.delete(name));
    this.#starting.set(name, started);
    return started;
  }

  /** Resolves with the end, or undefined when there is none within `ms`. */
  async waitForEnd(record: ContainerRecord, ms: number): Promise<ContainerEnd | undefined> {
    using bell = new Doorbell(exitsDir(this.#dataDir), { clock: this.#clock });
    const deadline = this.#clock.now() + ms;
    for (;;) {
      const state = await this.state(record);
      if (state.kind === 'ended') return state.end;
      const left = deadline - this.#clock.now();
      if (left <= 0) return undefined;
      await bell.answer(Math.min(left, sweepMs));
    }
  }

  async endUnstarted(record: ContainerRecord): Promise<ContainerEnd> {
    await recordUnseenEnd(record, 'unstarted');
    const state = await this.state(record);
    if (state.kind === 'ended') return state.end;
    throw new Error(`record of ${record.spec.id} vanished while it was written`);
  }

  async *exits(signal: AbortSignal): AsyncIterable<ContainerExit> {
    await this.records.list();
    using bell = new Doorbell(exitsDir(this.#dataDir), { clock: this.#clock, signal });
    let told = new Set<ContainerRecord>();
    let rung: ReadonlySet<string> = new Set();
    while (!signal.aborted) {
      const all = await this.records.list();
      told = new Set(all.filter((record) => told.has(record)));
      const sweep = rung.size === 0;
      if (sweep) await this.#tend(all.filter((record) => !told.has(record)));
      for (const record of all) {
        if (told.has(record) || !(sweep || rung.has(record.paths.name))) continue;
        const state = await this.state(record);
        if (state.kind !== 'ended') continue;
        told.add(record);
        yield { id: record.spec.id, end: state.end };
        if (signal.aborted) return;
      }
      rung = await bell.answer(sweepMs);
    }
  }

  async #tend(records: readonly ContainerRecord[]): Promise<void> {
    for (const { spec } of records) await this.#tendLog(spec.logDir).catch(() => {});
  }
}
