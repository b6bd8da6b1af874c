import type { Clock } from '../../../core/kit/clock.ts';
import type { Certificate } from '../../../core/model/certificate.ts';
import type { EdgeSettings } from '../settings.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Deadlines } from '../wire/deadlines.ts';
import type { Scratch } from '../wire/scratch.ts';

/** What connections to endpoints need of an engine. */
export type UpstreamContext = {
  readonly settings: EdgeSettings;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly deadlines: Deadlines;
  readonly scratch: Scratch;
  /** By its name in the store. */
  readonly certificate: (name: string) => Pick<Certificate, 'chain' | 'key'> | undefined;
};
