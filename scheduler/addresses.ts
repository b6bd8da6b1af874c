import { WeirError } from '../core/kit/errors.ts';
import type { App } from '../core/model/app.ts';
import { allocate, inVipRange, type VipRange } from '../core/model/vip-address.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';
import type { AddressRecord } from '../core/state/tables.ts';
import { addressNames, hashedName, isName6, name6 } from '../core/state/vip-claims.ts';

export type AddressOptions = {
  readonly now: number;
  readonly vipRange: VipRange;
  /** With it every name gets an IPv6 address as well. */
  readonly vipRange6?: VipRange;
};

/** A released address is not given to another name for this long: longer than any answer or flow that still names it. */
const quarantineMs = 10 * 60_000;

export class VirtualAddressesExhausted extends WeirError {
  constructor(name: string) {
    super(
      'WEIR_VIP_RANGE_FULL',
      `Cannot give ${name} a virtual address: every address of the range is taken`,
      { next: 'Delete apps that are not needed, or start the master with a larger --vip-range.' },
    );
  }
}

/** Names that the apps of the root have from now on, and those that none has any more. Others stay as they are. */
export type NameChanges = { readonly needed: ReadonlySet<string>; readonly dropped: ReadonlySet<string> };

/** What a change from some apps to others makes of the names; nothing is asked of the apps that stay as they are. */
export function nameChanges(snapshot: Snapshot, before: readonly App[], after: readonly App[]): NameChanges {
  const change = new Map<string, number>();
  const count = (apps: readonly App[], by: number) => {
    for (const name of apps.flatMap(addressNames)) change.set(name, (change.get(name) ?? 0) + by);
  };
  count(before, -1);
  count(after, 1);
  const isUsed = (name: string) => snapshot.appsNamed(name) + (change.get(name) ?? 0) > 0;
  const [needed, dropped] = [new Set<string>(), new Set<string>()];
  for (const name of change.keys()) (isUsed(name) ? needed : dropped).add(name);
  return { needed, dropped };
}

/**
 * Gives every name of the root a virtual address, and releases those of names that are gone. A name that returns before its
 * address was given away gets the same one again. Addresses that are outside the range by now are replaced.
 */
export function addressWrites(
  records: ReadonlyMap<string, AddressRecord>,
  { needed, dropped }: NameChanges,
  options: AddressOptions,
): readonly Write[] {
  const { vipRange6, now } = options;
  const sixth = {
    needed: vipRange6 === undefined ? new Set<string>() : new Set([...needed].map(name6)),
    dropped: new Set([...dropped].map(name6)),
  };
  const changes = { needed: needed.union(sixth.needed), dropped: dropped.union(sixth.dropped) };
  return [
    ...assign(records, withStrays(records, { needed, dropped }, options), options),
    ...(vipRange6 === undefined ? [] : assign(records, sixth.needed, { now, vipRange: vipRange6 })),
    ...release(records, changes, now),
  ];
}

/** And names whose address is outside the range by now. */
function withStrays(
  records: ReadonlyMap<string, AddressRecord>,
  { needed, dropped }: NameChanges,
  { vipRange }: AddressOptions,
): ReadonlySet<string> {
  const strays = [...records.values()].filter(
    ({ name, address, releasedAt }) =>
      releasedAt === undefined && !dropped.has(name) && !isName6(name) && !inVipRange(vipRange, address),
  );
  return new Set([...needed, ...strays.map(({ name }) => name)]);
}

function assign(
  records: ReadonlyMap<string, AddressRecord>,
  names: ReadonlySet<string>,
  { now, vipRange }: AddressOptions,
): readonly Write[] {
  const holds = (record: AddressRecord) =>
    inVipRange(vipRange, record.address) && !isQuarantineOver(record, now);
  let taken: Set<string> | undefined;
  return [...names].flatMap((name): readonly Write[] => {
    const known = records.get(name);
    if (known !== undefined && holds(known))
      return known.releasedAt === undefined ? [] : [put({ name, address: known.address })];
    taken ??= new Set([...records.values()].filter(holds).map((record) => record.address));
    const address = allocate(hashedName(name), vipRange, taken);
    if (address === undefined) throw new VirtualAddressesExhausted(name);
    taken.add(address);
    return [put({ name, address })];
  });
}

function release(
  records: ReadonlyMap<string, AddressRecord>,
  { needed, dropped }: NameChanges,
  now: number,
): readonly Write[] {
  const released = [...dropped].flatMap((name): readonly Write[] => {
    const record = records.get(name);
    return record === undefined || record.releasedAt !== undefined
      ? []
      : [put({ ...record, releasedAt: now })];
  });
  const over = [...records.values()].filter(
    (record) => isQuarantineOver(record, now) && !needed.has(record.name),
  );
  return [...released, ...over.map(({ name }): Write => ({ kind: 'delete', table: 'addresses', key: name }))];
}

function isQuarantineOver({ releasedAt }: AddressRecord, now: number): boolean {
  return releasedAt !== undefined && now - releasedAt >= quarantineMs;
}

function put(record: AddressRecord): Write {
  return { kind: 'put', table: 'addresses', key: record.name, value: record };
}
