import { setImmediate } from 'node:timers/promises';
import { decide } from '../../decide.ts';
import type { VipService, VipTable } from '../../table.ts';
import type { Hex } from './codec.ts';
import { serviceWrites } from './writes.ts';

/** The maps whose elements are all ours. */
export const listedMaps = ['services', 'slots', 'members'] as const;
type Listed = Readonly<Record<(typeof listedMaps)[number], ReadonlyMap<Hex, Hex>>>;

/**
 * How the maps differ from what a table puts there, a line for each. What changed while they were listed, between the two
 * tables, may be either way. In pieces, so that nothing else is held up.
 */
export async function mapDifferences(
  { before, after }: { readonly before: VipTable; readonly after: VipTable },
  actual: Listed,
): Promise<readonly string[]> {
  const wrong = { services: 0, slots: 0, members: 0 };
  const right = { services: 0, slots: 0, members: 0 };
  let looked = 0;
  for (const [key, service] of before.services) {
    if (++looked % 20 === 0) await setImmediate();
    if (after.services.get(key) !== service) continue;
    for (const { map, key, value } of listedWrites(service)) {
      if (actual[map].get(key) === value) right[map]++;
      else wrong[map]++;
    }
  }
  for (const changed of decide(before, after)) {
    const both = changed.type === 'change' ? [changed.before, changed.service] : [changed.service];
    const keys = new Map(both.flatMap(listedWrites).map(({ map, key }) => [`${map} ${key}`, { map, key }]));
    for (const { map, key } of keys.values()) if (actual[map].has(key)) right[map]++;
  }
  return listedMaps.flatMap((map) => {
    const strange = actual[map].size - right[map];
    return [
      ...(wrong[map] > 0 ? [`the map ${map} at the socket lacks ${wrong[map]} of its elements`] : []),
      ...(strange > 0 ? [`the map ${map} at the socket has ${strange} elements that are not ours`] : []),
    ];
  });
}

function listedWrites(service: VipService) {
  return serviceWrites(service).flatMap(({ map, ...write }) => {
    const listed = listedMaps.find((one) => one === map);
    return listed === undefined ? [] : [{ map: listed, ...write }];
  });
}
