import type { DirectoryConsumer } from '../../core/model/consumer.ts';
import type { Directory, DirectoryDelta } from '../../core/model/directory.ts';

type Call = { readonly revision: number; readonly delta: DirectoryDelta | undefined };

/** A consumer that keeps what it was given, and is slow, fails or resets when told. */
export class FakeConsumer implements DirectoryConsumer {
  readonly name: string;
  readonly calls: Call[] = [];
  readonly carried = new Map<string, number>();
  inForce = 0;
  /** Called with each Directory before it is in force; what it throws or waits for is the call's fate. */
  onApply: (directory: Directory) => unknown = () => {};
  onCount: () => unknown = () => {};
  #reset: () => void = () => {};

  constructor(name = 'dns') {
    this.name = name;
  }

  async apply(directory: Directory, delta: DirectoryDelta | undefined): Promise<number> {
    this.calls.push({ revision: directory.revision, delta });
    await this.onApply(directory);
    this.inForce = directory.revision;
    return directory.revision;
  }

  async inFlight(): Promise<ReadonlyMap<string, number>> {
    await this.onCount();
    return this.carried;
  }

  onReset(listener: () => void): void {
    this.#reset = listener;
  }

  reset(): void {
    this.inForce = 0;
    this.#reset();
  }
}
