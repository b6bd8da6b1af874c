import { timestamp } from '../core/kit/clock.ts';
import type { Wait } from './dependencies.ts';
import type { Json } from './marathon/render-app.ts';

/** One thing an app waits for, as JSON. */
export function renderWait({ since, ...wait }: Wait): Json {
  return { ...wait, ...(since === undefined ? {} : { since: timestamp(since) }) };
}
