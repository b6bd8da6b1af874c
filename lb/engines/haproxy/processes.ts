import type { Clock } from '../../../core/kit/clock.ts';
import { HaproxyProcess, HaproxyUnusable, type ProcessOptions } from './process.ts';

export type ProcessesOptions = {
  readonly clock: Clock;
  readonly warn: (text: string) => void;
  /** The one that serves ended by itself; there is none now. */
  readonly onDeath: (why: string) => void;
};

/** Each keeps the connections of its time, and with a large table a hundred megabytes. */
const mostRetired = 16;

/** The HAProxy that serves, and those before it that end what they have begun. */
export class Processes {
  readonly #options: ProcessesOptions;
  #present: HaproxyProcess | undefined;
  #retired: readonly HaproxyProcess[] = [];
  #started = 0;
  #lostBefore = 0;

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** How many have been. */
  get started(): number {
    return this.#started;
  }

  get present(): HaproxyProcess | undefined {
    return this.#present;
  }

  /** Oldest first. */
  get retired(): readonly HaproxyProcess[] {
    return this.#retired;
  }

  /** When the next one serves, the present one takes nobody any more. Throws HaproxyUnusable: then the present one goes on. */
  async replace(options: Omit<ProcessOptions, 'onExit'>): Promise<void> {
    this.#started++;
    const next: HaproxyProcess = new HaproxyProcess({ ...options, onExit: (why) => this.#died(next, why) });
    void next.gone.then(() => {
      this.#lostBefore += next.lostLines;
    });
    await next.ready(this.#options.clock);
    if (next.isGone) throw new HaproxyUnusable('it went as soon as it served');
    const before = this.#present;
    this.#present = next;
    if (before === undefined) return;
    this.#retired = [...this.#retired, before];
    this.#bound();
    await before.retire();
  }

  /** The answers of the one that serves. */
  async ask(commands: readonly string[]): Promise<readonly string[]> {
    if (this.#present === undefined) throw new HaproxyUnusable('none runs now');
    return this.#present.ask(commands);
  }

  /** Lines of their logs that were dropped because nobody read them fast enough. */
  async lostLines(): Promise<number> {
    await this.#present?.info();
    const all = [...this.#retired, ...(this.#present === undefined ? [] : [this.#present])];
    return all.filter(({ isGone }) => !isGone).reduce((sum, one) => sum + one.lostLines, this.#lostBefore);
  }

  /** Lets those go that have nothing left to end. */
  async sweep(): Promise<void> {
    await Promise.all(
      this.#retired.map(async (one) => {
        const info = await one.info();
        // The conversation with us is one of them.
        if (Number(info?.get('Jobs') ?? 0) <= 1) one.dismiss();
      }),
    );
    this.#retired = this.#retired.filter((one) => !one.isGone);
  }

  /** All of them end what they have begun, for so long. */
  async stop(withinMs: number): Promise<void> {
    const all = [...this.#retired, ...(this.#present === undefined ? [] : [this.#present])];
    await this.#present?.retire();
    this.#present = undefined;
    this.#retired = [];
    for (const one of all) one.dismiss();
    const bound = new AbortController();
    const late = this.#options.clock.sleep(withinMs, bound.signal).then(
      () => {
        for (const one of all) one.end('SIGTERM');
      },
      () => {},
    );
    await Promise.all(all.map((one) => one.gone));
    bound.abort();
    await late;
  }

  #died(process: HaproxyProcess, why: string): void {
    if (process !== this.#present) return;
    this.#present = undefined;
    this.#options.onDeath(why);
  }

  #bound(): void {
    for (const one of this.#retired.slice(0, -mostRetired)) {
      this.#options.warn(
        `more than ${mostRetired} replaced processes of HAProxy still had connections: those of the oldest are closed`,
      );
      one.end('SIGTERM');
    }
    this.#retired = this.#retired.slice(-mostRetired);
  }
}
