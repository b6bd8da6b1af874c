import { watch } from 'node:fs';
import type { Clock } from '../../../core/kit/clock.ts';

/** Names of files that changed in a directory, collected until somebody asks. */
export class Doorbell {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #names = new Set<string>();
  #wake: () => void = () => {};

  /** Watches from now on; until `signal` aborts. */
  constructor(dir: string, options: { clock: Clock; signal: AbortSignal }) {
    this.#clock = options.clock;
    this.#signal = options.signal;
    const watcher = watch(dir, { signal: options.signal }, (_event, name) => this.#ring(name ?? ''));
    watcher.on('error', () => this.#wake());
    options.signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** The names rung since the last answer, as soon as there is one; none after `ms` or when the signal aborts. */
  async answer(ms: number): Promise<ReadonlySet<string>> {
    if (this.#names.size === 0 && !this.#signal.aborted) await this.#wait(ms);
    const names = this.#names;
    this.#names = new Set();
    return names;
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
