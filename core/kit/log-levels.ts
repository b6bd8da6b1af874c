import type { Clock } from './clock.ts';
import type { LogThreshold } from './log.ts';

type Level = LogThreshold['level'];

const talkativeFirst: readonly Level[] = ['debug', 'info', 'warn', 'error', 'off'];
export const rootLogger = 'ROOT';

/**
 * Log levels by the name of a logger, to be changed at run time. Weir writes one log, so the most talkative of them all is
 * what counts.
 */
export class LogLevels {
  readonly #threshold: LogThreshold;
  readonly #clock: Clock;
  readonly #levels: Map<string, Level>;
  /** The last change of each logger: an older one that ends then has nothing to take back. */
  readonly #changes = new Map<string, number>();

  constructor(threshold: LogThreshold, clock: Clock) {
    this.#threshold = threshold;
    this.#clock = clock;
    this.#levels = new Map([[rootLogger, threshold.level]]);
  }

  get all(): ReadonlyMap<string, Level> {
    return this.#levels;
  }

  /** With `forMs` the level that was returns after that time. */
  set(logger: string, level: Level, forMs?: number): void {
    const before = this.#levels.get(logger);
    const change = (this.#changes.get(logger) ?? 0) + 1;
    this.#changes.set(logger, change);
    this.#put(logger, level);
    if (forMs === undefined) return;
    void this.#clock.sleep(forMs).then(() => {
      if (this.#changes.get(logger) === change) this.#put(logger, before);
    });
  }

  #put(logger: string, level: Level | undefined): void {
    if (level === undefined) this.#levels.delete(logger);
    else this.#levels.set(logger, level);
    const used = new Set(this.#levels.values());
    this.#threshold.level = talkativeFirst.find((each) => used.has(each)) ?? 'info';
  }
}
