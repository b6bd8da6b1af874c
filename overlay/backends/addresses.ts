import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../../core/kit/errors.ts';
import { formatIpv4, parseCidr4, parseIpv4, sizeOf } from '../../core/kit/ip.ts';
import type { AttachmentKey } from '../backend.ts';

/** Who holds which address of a share. */
export type Reservations = {
  /** Address → key (`instance ifName`). */
  readonly held: Readonly<Record<string, string>>;
  /** The address given last: the search goes on after it, so that an address rests before it is given again. */
  readonly last?: string;
};

export const noReservations: Reservations = { held: {} };

export function reservationKey({ instanceId, ifName }: AttachmentKey): string {
  return `${instanceId} ${ifName}`;
}

/** The address of a key in a share, and the table with it; undefined when the share is full. The first address is the gateway's. */
export function reserve(
  table: Reservations,
  subnet: string,
  key: string,
): { readonly address: string; readonly table: Reservations } | undefined {
  const own = Object.entries(table.held).find(([, holder]) => holder === key);
  if (own !== undefined) return { address: own[0], table };
  const range = parseCidr4(subnet);
  const usable = sizeOf(range) - 3;
  const last = table.last === undefined ? -1 : parseIpv4(table.last) - range.base - 2;
  const from = last >= 0 && last < usable ? last + 1 : 0;
  for (let step = 0; step < usable; step += 1) {
    const address = formatIpv4(range.base + 2 + ((from + step) % usable));
    if (table.held[address] !== undefined) continue;
    return { address, table: { held: { ...table.held, [address]: key }, last: address } };
  }
  return undefined;
}

/** The table with only those keys for which `keep` holds. */
export function keeping(table: Reservations, keep: (key: string) => boolean): Reservations {
  const held = Object.fromEntries(Object.entries(table.held).filter(([, key]) => keep(key)));
  return { ...table, held };
}

export async function readReservations(path: string): Promise<Reservations> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Reservations;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return noReservations;
    throw error;
  }
}

/** Whole or not at all. */
export async function writeReservations(path: string, table: Reservations): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.tmp`, JSON.stringify(table), { flush: true });
  await rename(`${path}.tmp`, path);
}

export async function removeReservations(path: string): Promise<void> {
  await rm(path, { force: true });
}
