import type { Part } from '../../core/kit/part.ts';
import { startAll, stopAll } from '../../core/kit/part.ts';
import type { DirectoryConsumer } from '../../core/model/consumer.ts';
import { type Directory, type DirectoryDelta, emptyDirectory } from '../../core/model/directory.ts';
import type { ListenAddress } from '../engine.ts';
import type { WorkerReport } from './messages.ts';
import type { EdgeSettings } from './settings.ts';
import { WorkerLink, type WorkerLinkDependencies } from './worker-link.ts';

export type EdgeDependencies = Omit<WorkerLinkDependencies, 'onCrash'>;

export type EdgeOptions = Partial<EdgeSettings> & {
  /** Processes that share the ports. Default 1. */
  readonly workers?: number;
};

/** The edge as the agent sees it: takes Directories, carries traffic in worker processes, says what is in force. */
export class EdgeConsumer implements DirectoryConsumer, Part {
  readonly name = 'edge';
  readonly #links: readonly WorkerLink[];
  readonly #resetListeners: (() => void)[] = [];
  #directory: Directory = emptyDirectory;

  constructor(dependencies: EdgeDependencies, options: EdgeOptions = {}) {
    const { workers = 1, ...settings } = options;
    const onCrash = () => {
      for (const listener of this.#resetListeners) listener();
    };
    this.#links = Array.from(
      { length: workers },
      () => new WorkerLink({ ...dependencies, onCrash }, { ...settings, reusePort: workers > 1 }),
    );
  }

  /** Process ids of the workers that run now. */
  get pids(): readonly number[] {
    return this.#links.flatMap((link) => link.pid ?? []);
  }

  /** Resolves when every worker listens. Throws PortInUse naming address and port. */
  start(): Promise<void> {
    return startAll(this.#links);
  }

  stop(): Promise<void> {
    return stopAll(this.#links);
  }

  /** Where the edge listens, with the ports it really got. */
  listening(): Promise<readonly ListenAddress[]> {
    return this.#links[0]?.listening() ?? Promise.resolve([]);
  }

  async apply(directory: Directory, delta?: DirectoryDelta): Promise<number> {
    this.#directory = directory;
    const revisions = await Promise.all(this.#links.map((link) => link.apply(directory, delta)));
    return Math.min(...revisions);
  }

  async inFlight(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const report of await this.reports()) {
      for (const [instance, count] of report.inFlight) {
        if (this.#directory.endpoints.has(instance)) continue;
        counts.set(instance, (counts.get(instance) ?? 0) + count);
      }
    }
    return counts;
  }

  onReset(listener: () => void): void {
    this.#resetListeners.push(listener);
  }

  /** Counters and load of every worker that runs now. */
  async reports(): Promise<readonly WorkerReport[]> {
    const reports = await Promise.all(this.#links.map((link) => link.report()));
    return reports.filter((report) => report !== undefined);
  }
}
