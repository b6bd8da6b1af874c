import type { Clock } from './clock.ts';
import { errorText } from './errors.ts';
import type { Log } from './log.ts';
import type { Part } from './part.ts';

export type LoopOptions = {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Runs again after this many ms (asked anew each time) without a wake; undefined: only when woken. */
  readonly everyMs?: number | (() => number);
};

const firstRetryMs = 50;
const lastRetryMs = 5_000;

/**
 * The shape met four times: woken by a change, does one round, sleeps again. Wakes during a round cause exactly
 * one more round. A round that throws is logged and repeated with a growing delay: a loop never gives up.
 */
export class Loop implements Part {
  readonly #round: (signal: AbortSignal) => Promise<void>;
  readonly #options: LoopOptions;
  #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #woken = true;
  #wake: () => void = () => {};

  constructor(round: (signal: AbortSignal) => Promise<void>, options: LoopOptions) {
    this.#round = round;
    this.#options = options;
  }

  get #everyMs(): number | undefined {
    const { everyMs } = this.#options;
    return typeof everyMs === 'function' ? everyMs() : everyMs;
  }

  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
    this.#running = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      if (!this.#woken) await this.#sleep(this.#everyMs, signal);
      if (signal.aborted) return;
      this.#woken = false;
      try {
        await this.#round(signal);
        retryMs = firstRetryMs;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log.error(`${this.#options.name}: round failed, retrying`, { error: errorText(error) });
        await this.#sleep(retryMs, signal);
        this.#woken = true;
        retryMs = Math.min(lastRetryMs, retryMs * 2);
      }
    }
  }

  async #sleep(ms: number | undefined, signal: AbortSignal): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (ms === undefined) return woken;
    const timer = new AbortController();
    const elapsed = this.#options.clock.sleep(ms, AbortSignal.any([timer.signal, signal])).catch(() => {});
    await Promise.race([woken, elapsed]);
    timer.abort();
  }
}
