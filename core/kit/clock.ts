import { setTimeout as delay } from 'node:timers/promises';

/** Time, handed to everything that needs it, so that a test can own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }),
};

/** ISO-8601 UTC with milliseconds and `Z`, the timestamp form of Marathon's API. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
