import type { Log } from '../../core/kit/log.ts';
import type { Cache } from '../cache/cache.ts';
import type { Invoker } from '../invoke/plugin.ts';
import type { Schedule } from '../schedule.ts';

/** What the operations share. */
export type Runtime = {
  readonly invoker: Invoker;
  readonly cache: Cache;
  readonly schedule: Schedule;
  readonly log: Log;
  readonly bootId: string;
};
