import { setImmediate } from 'node:timers/promises';
import type { VipTable } from '../../table.ts';
import type { Hex } from './codec.ts';
import { serviceWrites } from './writes.ts';

type Listed = { readonly services: ReadonlyMap<Hex, Hex>; readonly slots: ReadonlyMap<Hex, Hex> };

/** How the maps differ from what a table puts there, a line for each. In pieces, so that nothing else is held up. */
export async function mapDifferences(table: VipTable, actual: Listed): Promise<readonly string[]> {
  const wrong = { services: 0, slots: 0 };
  const right = { services: 0, slots: 0 };
  let looked = 0;
  for (const service of table.services.values()) {
    for (const { map, key, value } of serviceWrites(service)) {
      if (map !== 'services' && map !== 'slots') continue;
      if (actual[map].get(key) === value) right[map]++;
      else wrong[map]++;
    }
    if (++looked % 500 === 0) await setImmediate();
  }
  return (['services', 'slots'] as const).flatMap((map) => {
    const strange = actual[map].size - right[map];
    return [
      ...(wrong[map] > 0 ? [`the map ${map} at the socket lacks ${wrong[map]} of its elements`] : []),
      ...(strange > 0 ? [`the map ${map} at the socket has ${strange} elements that are not ours`] : []),
    ];
  });
}
