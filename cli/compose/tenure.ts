import type { Clock } from '../../core/kit/clock.ts';
import { errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import { type Part, startAll, stopAll } from '../../core/kit/part.ts';

export type TenureOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** How long others have to take over before this one asks again. */
  readonly restMs: number;
  /** Others may lead for ever: to be started is to wait, and leading comes when it comes. */
  readonly waits: boolean;
};

/** Time for the answer to the one who asked (Marathon §2.5). */
const noticeMs = 500;
const retryMs = 1_000;

/** The parts that run only while this master leads, the wait for leadership first. Abdicating is stopping them and starting again. */
export class Tenure implements Part {
  readonly #parts: readonly Part[];
  readonly #options: TenureOptions;
  #stopping = new AbortController();
  #abdication: Promise<void> | undefined;
  #entering: Promise<void> | undefined;

  constructor(parts: readonly Part[], options: TenureOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController();
    if (this.#options.waits) this.#entering = this.#enter(this.#stopping.signal);
    else await startAll(this.#parts);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await stopAll(this.#parts);
    await this.#entering;
    await this.#abdication;
  }

  /** Begins a moment later; asking again meanwhile changes nothing. */
  abdicate(): void {
    this.#abdication ??= this.#abdicate(this.#stopping.signal).finally(() => {
      this.#abdication = undefined;
    });
  }

  async #abdicate(signal: AbortSignal): Promise<void> {
    const { clock, log, restMs } = this.#options;
    const rest = (ms: number) => clock.sleep(ms, signal).catch(() => {});
    await rest(noticeMs);
    if (signal.aborted) return;
    log.info('abdicating');
    await stopAll(this.#parts).catch((error: unknown) =>
      log.error('abdicating: a part did not stop', { error: errorText(error) }),
    );
    await rest(restMs);
    await this.#enter(signal);
  }

  /** Until all parts run, however often one of them fails. */
  async #enter(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#started(signal)))
      await this.#options.clock.sleep(retryMs, signal).catch(() => {});
  }

  async #started(signal: AbortSignal): Promise<boolean> {
    try {
      await startAll(this.#parts);
      return true;
    } catch (error) {
      if (!signal.aborted)
        this.#options.log.error('cannot lead, trying once more', { error: errorText(error) });
      return false;
    }
  }
}
