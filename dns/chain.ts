import type { Counters } from './counters.ts';
import { type Handler, link, type Next } from './handler.ts';
import { aliasesHandler, dcosAliases } from './handlers/aliases.ts';
import { classHandler } from './handlers/class.ts';
import { cnamesHandler } from './handlers/cnames.ts';
import { localhostHandler } from './handlers/localhost.ts';
import { metricsHandler } from './handlers/metrics.ts';
import { ownZonesHandler } from './handlers/own-zones.ts';
import { searchHandler } from './handlers/search.ts';
import type { Chance } from './lookup.ts';
import type { ZoneOptions } from './options.ts';
import type { Zone } from './zone.ts';

export type ChainParts = {
  readonly zone: () => Zone;
  readonly zoneOptions: ZoneOptions;
  readonly counters: Counters;
  readonly chance: Chance;
  /** Asks others; absent: what is not ours is refused. */
  readonly forward?: Handler;
};

/** The order, here and nowhere else. A question goes down the list until one answers; the end of it refuses. */
export function chain(parts: ChainParts): Next {
  return link([
    metricsHandler(parts.counters),
    classHandler,
    localhostHandler,
    aliasesHandler(dcosAliases(parts.zoneOptions)),
    cnamesHandler,
    ownZonesHandler(parts.zone, parts.chance),
    searchHandler(parts.zone),
    ...(parts.forward === undefined ? [] : [parts.forward]),
  ]);
}
