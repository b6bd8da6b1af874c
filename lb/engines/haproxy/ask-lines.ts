import type { RouteOptions } from '../../../core/model/route.ts';
import { poolKey } from '../../edge/routes/pool-key.ts';
import type { RouteTable } from '../../edge/routes/route-table.ts';
import type { TableRoute } from '../../edge/routes/table-route.ts';
import { defaultSettings } from '../../edge/settings.ts';
import { mapFile } from './map-commands.ts';
import { answer } from './page-lines.ts';
import { placeOf, self } from './sections.ts';
import { type AddressOf, placed } from './slots.ts';
import { word } from './words.ts';

const page = {
  status: 503,
  why: 'forward-auth',
  text: 'The service that decides about access did not answer.',
};

/** Another service is asked about each request (ask-script.ts); where it is stands in a map, by the backend. */
export function askLines({ forwardAuth, timeouts }: RouteOptions): readonly string[] {
  if (forwardAuth === undefined) return [];
  const { path, copy = [] } = forwardAuth;
  const { firstByteMs = defaultSettings.firstByteMs } = timeouts ?? {};
  return [
    `http-request set-var(txn.asked_at) str(${self}),map_str(${mapFile('asked')})`,
    `http-request lua.weir_ask ${word(path)} ${firstByteMs} ${word(copy.join(',') || '-')}`,
    ...answer(page, 'unless { var(txn.passed) -m found }'),
  ];
}

/** The pool that a route's requests are asked about at; undefined: about nothing. */
export function askedPool({ declared: { options = {} } }: TableRoute): string | undefined {
  return options.forwardAuth && poolKey(options.forwardAuth.service, options);
}

/** Where the endpoints of that pool are, as the map says it; '' for nowhere. */
export function askedPlaces(table: RouteTable, route: TableRoute, addressOf: AddressOf): string {
  const endpoints = table.pools.get(askedPool(route) ?? '')?.endpoints ?? [];
  return endpoints
    .flatMap((one) => placed(one, addressOf))
    .map(placeOf)
    .join(',');
}
