import ipaddr from 'ipaddr.js';
import type { VipService, VipTarget } from '../../table.ts';

/** The bytes of `vip.bpf.c`'s structures as bpftool reads and prints them: `0a ff …`. Pure. */
export type Hex = string;

const numbers = { tcp: 6, udp: 17 } as const;

type Place = Pick<VipTarget, 'address' | 'port'>;

/** `struct place`. */
export function place(protocol: VipService['protocol'], { address, port }: Place): Hex {
  return hex([...bytesOf(address), port >> 8, port & 255, numbers[protocol], 0]);
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

/** What `bpftool map dump` prints of a map without types, by key. */
export function parseDump(text: string): ReadonlyMap<Hex, Hex> {
  const entries = text.matchAll(/key:\s+([\da-f\s]+?)\s+value:\s+([\da-f\s]+?)(?=\s*(?:key:|Found|$))/g);
  return new Map([...entries].map(([, key, value]) => [spaced(key!), spaced(value!)]));
}

function spaced(bytes: string): Hex {
  return bytes.trim().replace(/\s+/g, ' ');
}

function bytesOf(address: string): readonly number[] {
  const parsed = ipaddr.parse(address);
  return ('toIPv4MappedAddress' in parsed ? parsed.toIPv4MappedAddress() : parsed).toByteArray();
}

function little32(number: number): Hex {
  return hex([number & 255, (number >>> 8) & 255, (number >>> 16) & 255, number >>> 24]);
}

function hex(bytes: readonly number[]): Hex {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
