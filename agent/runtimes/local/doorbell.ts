import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '../../../core/kit/clock.ts';

/** Names of files that changed in a directory, collected until somebody asks. Watches from its making to its disposal. */
export class Doorbell implements Disposable {
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #watcher: FSWatcher;
  readonly #wakeUp = () => this.#wake();
  #names = new Set<string>();
  #wake: () => void = () => {};

  /** When `signal` aborts, whoever waits is woken. */
  constructor(dir: string, options: { clock: Clock; signal?: AbortSignal | undefined }) {
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#watcher = watch(dir, (_event, name) => this.#ring(name ?? ''));
    this.#watcher.on('error', this.#wakeUp);
    this.#signal?.addEventListener('abort', this.#wakeUp);
  }

  /** The names rung since the last answer, as soon as there is one; none after `ms` or when the signal aborts. */
  async answer(ms: number): Promise<ReadonlySet<string>> {
    if (this.#names.size === 0 && !this.#signal?.aborted) await this.#wait(ms);
    const names = this.#names;
    this.#names = new Set();
    return names;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.#signal?.removeEventListener('abort', this.#wakeUp);
  }

  async #wait(ms: number): Promise<void> {
    const timer = new AbortController();
    const rung = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([rung, this.#clock.sleep(ms, timer.signal).catch(() => {})]);
    timer.abort();
  }

  #ring(name: string): void {
    this.#names.add(name);
    this.#wake();
  }
}
