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
  takesPart,
} from '../core/model/directory.ts';
import type { InstanceId } from '../core/model/ids.ts';
import type { ListenerState } from '../core/model/listener.ts';

export type ConsumersOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a consumer has another revision in force. */
  readonly onAck: () => void;
};

export type ConsumersStatus = {
  /** Revision in force, by consumer. */
  readonly acks: Readonly<Record<string, number>>;
  /** Requests and connections to instances that left the Directory, all consumers together. */
  readonly inFlight: Readonly<Record<InstanceId, number>>;
  /** Absent: nobody here opens any. */
  readonly listeners?: readonly ListenerState[];
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
  readonly #resets = new Map<string, number>();
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
    // What is in force of another store says nothing of the revisions that come now.
    if (delta.from === 0 && delta.store !== this.#directory.store)
      for (const consumer of this.#consumers) this.#forget(consumer);
    this.#set(applyDelta(this.#directory, delta), delta.from === 0 ? undefined : delta);
  }

  /**
   * What a report says of them. Counted after the acknowledgements were read, so that what is in flight is known for at
   * least those revisions. A consumer that cannot count is said to have nothing in force: nobody may rely on it.
   */
  async status(): Promise<ConsumersStatus> {
    const acks: Record<string, number> = { ...this.acks };
    const inFlight: Record<InstanceId, number> = {};
    for (const consumer of this.#consumers) {
      try {
        for (const [instance, count] of (await consumer.inFlight?.()) ?? []) {
          if (count > 0 && !takesPart(this.#directory, instance))
            inFlight[instance] = (inFlight[instance] ?? 0) + count;
        }
      } catch (error) {
        acks[consumer.name] = 0;
        this.#options.log.warn(`${consumer.name} does not say what it carries`, { error: errorText(error) });
      }
    }
    const opening = this.#consumers.filter((consumer) => consumer.listeners !== undefined);
    const listeners = opening.flatMap((consumer) => consumer.listeners?.() ?? []);
    return { acks, inFlight, ...(opening.length > 0 && { listeners }) };
  }

  /** Everybody gets the whole Directory again, as if it had lost what it had. */
  renew(): void {
    for (const consumer of this.#consumers) this.#forget(consumer);
    for (const loop of this.#loops) loop.wake();
  }

  #forget(consumer: DirectoryConsumer): void {
    this.#applied.delete(consumer.name);
    this.#resets.set(consumer.name, this.#resetsOf(consumer) + 1);
    this.#options.onAck();
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
      this.#forget(consumer);
      loop.wake();
    });
    return loop;
  }

  async #round(consumer: DirectoryConsumer): Promise<void> {
    const applied = this.#applied.get(consumer.name);
    const directory = this.#directory;
    if (directory.revision === 0 || applied?.directory === directory) return;
    const resets = this.#resetsOf(consumer);
    try {
      const revision = await consumer.apply(directory, this.#deltaFor(applied, directory));
      // It lost its state while it took this: the reset has woken the loop, which gives it everything.
      if (this.#resetsOf(consumer) !== resets) return;
      this.#applied.set(consumer.name, { directory, revision });
      this.#options.onAck();
    } catch (error) {
      const { revision = 0 } = this.#applied.get(consumer.name) ?? {};
      this.#applied.set(consumer.name, { directory: undefined, revision });
      throw new Error(`${consumer.name} did not take revision ${directory.revision}: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  #resetsOf({ name }: DirectoryConsumer): number {
    return this.#resets.get(name) ?? 0;
  }

  /** What changed since the consumer's last success; undefined: it must compare all. */
  #deltaFor(applied: Applied | undefined, directory: Directory): DirectoryDelta | undefined {
    if (applied?.directory === undefined) return undefined;
    if (this.#last?.from === applied.directory.revision && this.#last.revision === directory.revision)
      return this.#last;
    return deltaBetween(applied.directory, directory);
  }
}
