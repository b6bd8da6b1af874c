import type { Instances } from './instances.ts';

/** Does something beside each running instance, from when it runs until it does not. */
export class WhileRunning {
  readonly #instances: Instances;
  readonly #begin: (key: string, signal: AbortSignal) => void;
  readonly #running = new Map<string, AbortController>();

  constructor(instances: Instances, begin: (key: string, signal: AbortSignal) => void) {
    this.#instances = instances;
    this.#begin = begin;
  }

  follow(): void {
    for (const [key, record] of this.#instances.all) {
      if (record.state.kind !== 'running' || this.#running.has(key)) continue;
      const stopping = new AbortController();
      this.#running.set(key, stopping);
      this.#begin(key, stopping.signal);
    }
    for (const [key, stopping] of this.#running) {
      if (this.#instances.get(key)?.state.kind === 'running') continue;
      stopping.abort();
      this.#running.delete(key);
    }
  }

  stop(): void {
    for (const stopping of this.#running.values()) stopping.abort();
    this.#running.clear();
  }
}
