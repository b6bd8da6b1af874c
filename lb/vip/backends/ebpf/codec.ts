import { isIPv4 } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import ipaddr from 'ipaddr.js';
import type { VipService, VipTarget } from '../../table.ts';

/** The bytes of `vip.bpf.c`'s structures as bpftool reads and prints them: `0a ff …`. Pure. */
export type Hex = string;

const numbers = { tcp: 6, udp: 17 } as const;

const octets: readonly Hex[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

type Place = Pick<VipTarget, 'address' | 'port'>;

/** `struct place`. */
export function place(protocol: VipService['protocol'], { address, port }: Place): Hex {
  return `${addressHex(address)} ${hex([port >> 8, port & 255, numbers[protocol], 0])}`;
}

/** `struct slot_key`. */
export function slotKey(service: Hex, slot: number): Hex {
  return `${service} ${little32(slot)}`;
}

/** `struct service`; `affinity` in seconds, 0 for none. */
export function serviceValue(slots: number, least: boolean, affinity: number): Hex {
  return `${little32(slots)} ${little32(least ? 1 : 0)} ${little32(affinity)}`;
}

/** `struct member_key`. */
export function memberKey(service: Hex, target: Hex): Hex {
  return `${service} ${target}`;
}

export const zero32: Hex = little32(0);

export const zero64: Hex = hex(new Array(8).fill(0));

/** `struct setup`: the cookie of the host's network namespace, or where it is to be learned from. */
export function setupValue(from: { readonly at: Place } | { readonly host: number }): Hex {
  if ('host' in from)
    return `${little32(from.host % 2 ** 32)} ${little32(Math.floor(from.host / 2 ** 32))} ${zero64}`;
  const { address, port } = from.at;
  return `${zero64} ${hex([...bytesOf(address).slice(12), port >> 8, port & 255, 0, 0])}`;
}

/** A number of up to 64 bits as the kernel keeps it here; counts stay far below what JavaScript can add up. */
export function littleNumber(bytes: Hex): number {
  return bytes
    .split(' ')
    .map((byte) => Number.parseInt(byte, 16))
    .reduceRight((sum, byte) => sum * 256 + byte, 0);
}

/** Entries read without a pause: a few milliseconds. */
const perTurn = 250;
const [keyWord, valueWord] = ['key:', 'value:'];

/** What `bpftool map dump` prints of a map without types, by key. A long one is read in pieces: nothing else is held up. */
export async function parseDump(text: string): Promise<ReadonlyMap<Hex, Hex>> {
  const entries = new Map<Hex, Hex>();
  let read = 0;
  for (let at = text.indexOf(keyWord); at !== -1; ) {
    const middle = text.indexOf(valueWord, at);
    if (middle === -1) break;
    const next = text.indexOf(keyWord, middle);
    const end = next === -1 ? text.indexOf('Found', middle) : next;
    entries.set(
      spaced(text.slice(at + keyWord.length, middle)),
      spaced(text.slice(middle + valueWord.length, end === -1 ? undefined : end)),
    );
    at = next;
    if (++read % perTurn === 0) await setImmediate();
  }
  return entries;
}

function spaced(bytes: string): Hex {
  const trimmed = bytes.trim();
  return trimmed.includes('\n') || trimmed.includes('  ') ? trimmed.replace(/\s+/g, ' ') : trimmed;
}

function addressHex(address: string): Hex {
  // An audit asks for a hundred thousand of these.
  if (isIPv4(address)) return `${mapped} ${hex(address.split('.').map(Number))}`;
  return hex(bytesOf(address));
}

/** Of IPv4 addresses in IPv6. */
const mapped = '00 00 00 00 00 00 00 00 00 00 ff ff';

function bytesOf(address: string): readonly number[] {
  const parsed = ipaddr.parse(address);
  return ('toIPv4MappedAddress' in parsed ? parsed.toIPv4MappedAddress() : parsed).toByteArray();
}

function little32(number: number): Hex {
  return hex([number & 255, (number >>> 8) & 255, (number >>> 16) & 255, number >>> 24]);
}

function hex(bytes: readonly number[]): Hex {
  return bytes.map((byte) => octets[byte]).join(' ');
}
