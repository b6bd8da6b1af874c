import type { Clock } from '../core/kit/clock.ts';
import type { Log } from '../core/kit/log.ts';
import { Loop } from '../core/kit/loop.ts';
import type { Part } from '../core/kit/part.ts';
import type { DirectoryConsumer } from '../core/model/consumer.ts';
import type { Directory, DirectoryDelta } from '../core/model/directory.ts';
import { failingInstances, withFailing } from '../core/model/failing.ts';
import type { InstanceId } from '../core/model/ids.ts';

export type ReachableNamesParts = {
  /** Places (`placeKey`) to which connections of this machine failed lately. Cheap: it is asked ten times a second. */
  readonly failing: () => ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Log;
};

const lookMs = 100;

/**
 * Gives the resolver of this machine a Directory in which instances that its connections do not reach are not ready, so that
 * their names leave them out while others are left. Revisions are those of the Directory.
 */
export class ReachableNames implements DirectoryConsumer, Part {
  readonly name: string;
  readonly #names: DirectoryConsumer;
  readonly #failing: () => ReadonlySet<string>;
  readonly #loop: Loop;
  /** In force in the resolver, before anything was left out of it. */
  #given: Directory | undefined;
  #leftOut: ReadonlySet<InstanceId> = new Set();
  #places: ReadonlySet<string> = new Set();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(names: DirectoryConsumer, { failing, clock, log }: ReachableNamesParts) {
    this.name = names.name;
    this.#names = names;
    this.#failing = failing;
    this.#loop = new Loop(() => this.#look(), { name: 'reachable-names', clock, log, everyMs: lookMs });
  }

  async start(): Promise<void> {
    await this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#given = undefined;
  }

  apply(directory: Directory, delta: DirectoryDelta | undefined): Promise<number> {
    return this.#alone(() => this.#apply(directory, delta));
  }

  onReset(listener: () => void): void {
    this.#names.onReset?.(listener);
  }

  async #look(): Promise<void> {
    if (this.#failing().symmetricDifference(this.#places).size === 0) return;
    await this.#alone(async () => {
      const directory = this.#given;
      if (directory === undefined) return;
      const { revision } = directory;
      await this.#apply(directory, { from: revision, revision });
    });
  }

  async #apply(directory: Directory, delta: DirectoryDelta | undefined): Promise<number> {
    const places = this.#failing();
    const leftOut = failingInstances(directory, places);
    const shown = withFailing({ directory, delta }, leftOut, this.#leftOut);
    const revision = await this.#names.apply(shown.directory, shown.delta);
    this.#given = directory;
    this.#leftOut = leftOut;
    this.#places = places;
    return revision;
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
