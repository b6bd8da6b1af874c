import type { VipChange } from '../../decide.ts';
import { slotsOf } from '../../slots.ts';
import type { VipService } from '../../table.ts';
import { type Hex, memberKey, place, serviceValue, slotKey, zero32, zero64 } from './codec.ts';

/** An element to be written (`value`) or removed. */
export type MapWrite = { readonly map: MapName; readonly key: Hex; readonly value?: Hex };
export type MapName = 'services' | 'slots' | 'members' | 'ejected' | 'taken' | 'opened' | 'setup';

/**
 * Slots are written before the count that leads to them, and go after it. A service that is not chosen from at random is
 * none here: at the socket a connection has no source address yet. nftables serves it.
 */
export function changeWrites(change: VipChange): readonly MapWrite[] {
  const { type, service } = change;
  if (type === 'add') return writes(undefined, service);
  if (type === 'remove') return writes(service, undefined);
  return [...freshStarts(change.before, service), ...writes(change.before, service)];
}

/** Whoever comes to a place is not left alone for what another one there did. */
function freshStarts(before: VipService, { protocol, backends }: VipService): readonly MapWrite[] {
  const known = new Set(
    before.backends.map(({ instanceId, ...at }) => `${instanceId} ${place(protocol, at)}`),
  );
  return backends
    .filter(({ instanceId, ...at }) => !known.has(`${instanceId} ${place(protocol, at)}`))
    .map((target) => ({ map: 'ejected', key: place(protocol, target), value: `${zero64} ${zero64}` }));
}

/** Everything that is in the maps for a service. */
export function serviceWrites(service: VipService): readonly MapWrite[] {
  return writes(undefined, service);
}

function writes(before: VipService | undefined, after: VipService | undefined): readonly MapWrite[] {
  const key = place((after ?? before)!.protocol, (after ?? before)!);
  const [was, is] = [rowOf(before), rowOf(after)];
  const [valueBefore, value] = [serviceOf(before, was), serviceOf(after, is)];
  const slots = is.flatMap((target, i): readonly MapWrite[] =>
    target === was[i] ? [] : [{ map: 'slots', key: slotKey(key, i), value: target }],
  );
  const gone = was.slice(is.length).map(
    (_, i): MapWrite => ({
      map: 'slots',
      key: slotKey(key, is.length + i),
    }),
  );
  const [members, membersNow] = [membersOf(before, was), membersOf(after, is)];
  const joined = membersNow.difference(members);
  const left = members.difference(membersNow);
  const member = (target: Hex) => ({ map: 'members', key: memberKey(key, target) }) as const;
  return [
    ...slots,
    ...[...joined].map((target): MapWrite => ({ ...member(target), value: zero32 })),
    ...(value !== undefined && valueBefore === undefined
      ? ([{ map: 'taken', key, value: zero64 }] as const)
      : []),
    ...(value === valueBefore
      ? []
      : [{ map: 'services', key, ...(value === undefined ? {} : { value }) } as const]),
    ...gone,
    ...[...left].map(member),
    ...(value === undefined && valueBefore !== undefined ? ([{ map: 'taken', key }] as const) : []),
  ];
}

function rowOf(service: VipService | undefined): readonly Hex[] {
  if (service === undefined) return [];
  const { choice, targets } = slotsOf(service);
  if (choice !== 'random') return [];
  return targets.map((target) => place(service.protocol, target));
}

function serviceOf(service: VipService | undefined, row: readonly Hex[]): Hex | undefined {
  if (service === undefined || row.length === 0) return undefined;
  return serviceValue(row.length, service.balance === 'least-connections', service.affinitySeconds ?? 0);
}

function membersOf(service: VipService | undefined, row: readonly Hex[]): ReadonlySet<Hex> {
  return new Set(service?.affinitySeconds === undefined ? [] : row);
}
