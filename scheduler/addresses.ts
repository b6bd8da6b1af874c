import { WeirError } from '../core/kit/errors.ts';
import { allocate, inVipRange, type VipRange } from '../core/model/vip-address.ts';
import type { Write } from '../core/state/store.ts';
import type { AddressRecord } from '../core/state/tables.ts';
import { addressNames, hashedName } from '../core/state/vip-claims.ts';
import type { Root } from './plan.ts';

export type AddressOptions = { readonly now: number; readonly vipRange: VipRange };

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

/**
 * Gives every name of the root a virtual address, and releases those of names that are gone. A name that returns before its
 * address was given away gets the same one again.
 */
export function addressWrites(
  records: ReadonlyMap<string, AddressRecord>,
  after: Root,
  options: AddressOptions,
): readonly Write[] {
  const names = new Set([...after.values()].flatMap(addressNames));
  return [...assign(records, names, options), ...release(records, names, options.now)];
}

function assign(
  records: ReadonlyMap<string, AddressRecord>,
  names: ReadonlySet<string>,
  { now, vipRange }: AddressOptions,
): readonly Write[] {
  const holds = (record: AddressRecord) =>
    inVipRange(vipRange, record.address) && !isQuarantineOver(record, now);
  const taken = new Set([...records.values()].filter(holds).map((record) => record.address));
  return [...names].flatMap((name): readonly Write[] => {
    const known = records.get(name);
    if (known !== undefined && holds(known))
      return known.releasedAt === undefined ? [] : [put({ name, address: known.address })];
    const address = allocate(hashedName(name), vipRange, taken);
    if (address === undefined) throw new VirtualAddressesExhausted(name);
    taken.add(address);
    return [put({ name, address })];
  });
}

function release(
  records: ReadonlyMap<string, AddressRecord>,
  names: ReadonlySet<string>,
  now: number,
): readonly Write[] {
  return [...records.values()].flatMap((record): readonly Write[] => {
    if (names.has(record.name)) return [];
    if (record.releasedAt === undefined) return [put({ ...record, releasedAt: now })];
    return isQuarantineOver(record, now) ? [{ kind: 'delete', table: 'addresses', key: record.name }] : [];
  });
}

function isQuarantineOver({ releasedAt }: AddressRecord, now: number): boolean {
  return releasedAt !== undefined && now - releasedAt >= quarantineMs;
}

function put(record: AddressRecord): Write {
  return { kind: 'put', table: 'addresses', key: record.name, value: record };
}
