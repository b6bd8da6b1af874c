import type { Clock } from '../core/kit/clock.ts';
import { errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import { Loop } from '../core/kit/loop.ts';
import type { Part } from '../core/kit/part.ts';
import type { DirectoryConsumer } from '../core/model/consumer.ts';
import {
  applyDelta,
  type Directory,
  type DirectoryDelta,
  deltaBetween,
  emptyDirectory,
} from '../core/model/directory.ts';
import type { InstanceId } from '../core/model/ids.ts';

export type ConsumersOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a consumer has another revision in force. */
  readonly onAck: () => void;
};

type Applied = { directory: Directory | undefined; revision: number };

/**
 * The agent's Directory and those who put it in force. Each consumer has a loop of its own, so a slow one does not hold
 * the others; each gets the newest revision, whole, and its acknowledgement is what it said is in force.
 */
export class Consumers implements Part {
  readonly #consumers: readonly DirectoryConsumer[];
  readonly #options: ConsumersOptions;
  readonly #loops: readonly Loop[];
  readonly #applied = new Map<string, Applied>();
  #directory: Directory = emptyDirectory;
  #last: DirectoryDelta | undefined;

  constructor(consumers: readonly DirectoryConsumer[], options: ConsumersOptions) {
    this.#consumers = consumers;
    this.#options = options;
    this.#loops = consumers.map((consumer) => this.#loopFor(consumer));
  }

  get directory(): Directory {
    return this.#directory;
  }

  get names(): readonly string[] {
    return this.#consumers.map((consumer) => consumer.name);
  }

  /** Revision in force, by consumer; 0 for one that has nothing in force. */
  get acks(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#consumers.map(({ name }) => [name, this.#applied.get(name)?.revision ?? 0]),
    );
  }

  async start(): Promise<void> {
    for (const loop of this.#loops) await loop.start();
  }

  async stop(): Promise<void> {
    for (const loop of this.#loops) await loop.stop();
  }

  /** The Directory as it was kept on disk, or a whole one. */
  load(directory: Directory): void {
    this.#set(directory, undefined);
  }

  take(delta: DirectoryDelta): void {
    this.#set(applyDelta(this.#directory, delta), delta.from === 0 ? undefined : delta);
  }

  /** Requests and connections to instances that left the Directory, all consumers together. */
  async inFlight(): Promise<Readonly<Record<InstanceId, number>>> {
    const sums: Record<InstanceId, number> = {};
    for (const consumer of this.#consumers) {
      for (const [instance, count] of (await consumer.inFlight?.()) ?? []) {
        if (count > 0 && !this.#directory.endpoints.has(instance))
          sums[instance] = (sums[instance] ?? 0) + count;
      }
    }
    return sums;
  }

  #set(directory: Directory, delta: DirectoryDelta | undefined): void {
    this.#directory = directory;
    this.#last = delta;
    for (const loop of this.#loops) loop.wake();
  }

  #loopFor(consumer: DirectoryConsumer): Loop {
    const { clock, log } = this.#options;
    const loop = new Loop(() => this.#round(consumer), { name: `apply to ${consumer.name}`, clock, log });
    consumer.onReset?.(() => {
      this.#applied.delete(consumer.name);
      this.#options.onAck();
      loop.wake();
    });
    return loop;
  }

  async #round(consumer: DirectoryConsumer): Promise<void> {
    const applied = this.#applied.get(consumer.name);
    const directory = this.#directory;
    if (directory.revision === 0 || applied?.directory === directory) return;
    try {
      const revision = await consumer.apply(directory, this.#deltaFor(applied, directory));
      this.#applied.set(consumer.name, { directory, revision });
      this.#options.onAck();
    } catch (error) {
      this.#applied.set(consumer.name, { directory: undefined, revision: applied?.revision ?? 0 });
      throw new Error(`${consumer.name} did not take revision ${directory.revision}: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  /** What changed since the consumer's last success; undefined: it must compare all. */
  #deltaFor(applied: Applied | undefined, directory: Directory): DirectoryDelta | undefined {
    if (applied?.directory === undefined) return undefined;
    if (this.#last?.from === applied.directory.revision && this.#last.revision === directory.revision)
      return this.#last;
    return deltaBetween(applied.directory, directory);
  }
}
