import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { BadAddress, formatIpv4, parseCidr4, parseIpv4, sizeOf } from '../kit/ip.ts';

/** Addresses that named VIPs are taken from, both ends included. Numbers are the addresses as unsigned integers. */
export type VipRange = { readonly family: 4 | 6; readonly min: bigint; readonly max: bigint };

/** A range from its two ends, as DC/OS writes it (`min_named_ip`, `max_named_ip`). */
export function vipRange(min: string, max: string): VipRange {
  const range: VipRange = { family: familyOf(min), min: toNumber(min), max: toNumber(max) };
  if (familyOf(max) === range.family && range.min < range.max) return range;
  throw new BadAddress(`${min} - ${max}`, 'a range of at least two addresses of one family');
}

/** A range written `a.b.c.d/n`, or `x::/n`. */
export function vipRangeOfCidr(text: string): VipRange {
  if (text.includes(':')) {
    const [first, last] = [
      ipaddr.IPv6.networkAddressFromCIDR(text),
      ipaddr.IPv6.broadcastAddressFromCIDR(text),
    ];
    return vipRange(first.toRFC5952String(), last.toRFC5952String());
  }
  const cidr = parseCidr4(text);
  return vipRange(formatIpv4(cidr.base), formatIpv4(cidr.base + sizeOf(cidr) - 1));
}

/** True for an address of either family that lies in the range. */
export function inVipRange(range: VipRange, address: string): boolean {
  if (!isIPv4(address) && !isIPv6(address)) return false;
  const number = toNumber(address);
  return familyOf(address) === range.family && number >= range.min && number <= range.max;
}

/**
 * Where the hash puts a name when nothing is taken (vip.md section 4). `name` is the VIP's name without its zone
 * (`web.marathon`). The top address of the range is never a first choice.
 */
export function firstChoice(name: string, range: VipRange): string {
  return toAddress(range, range.min + (hashOf(name, range) % (range.max - range.min)));
}

/** The first choice or the next free address after it (after the top comes the bottom); undefined when all are taken. */
export function allocate(name: string, range: VipRange, taken: ReadonlySet<string>): string | undefined {
  const size = range.max - range.min + 1n;
  const start = hashOf(name, range) % (range.max - range.min);
  for (let step = 0n; step < size; step++) {
    const address = toAddress(range, range.min + ((start + step) % size));
    if (!taken.has(address)) return address;
  }
  return undefined;
}

/** Erlang's portable hash of a binary: Jenkins' lookup2 with the constants of vip.md section 4. Unsigned 32 bits. */
export function phash2(name: string): number {
  const bytes = Buffer.from(name);
  let state: Mixed = [0x9e3779b9, 0x9e3779b9, 0x08d12e65];
  let at = 0;
  for (; bytes.length - at >= 12; at += 12) state = mix(added(state, bytes, at));
  const tail = Buffer.alloc(12);
  tail.set(bytes.subarray(at, at + 8), 0);
  // The lowest byte of c holds the length, so the last bytes of the tail go one place higher.
  tail.set(bytes.subarray(at + 8), 9);
  const [a, b, c] = added(state, tail, 0);
  return mix([a, b, (c + bytes.length) >>> 0])[2];
}

type Mixed = readonly [number, number, number];

function added([a, b, c]: Mixed, bytes: Buffer, at: number): Mixed {
  return [
    (a + bytes.readUInt32LE(at)) >>> 0,
    (b + bytes.readUInt32LE(at + 4)) >>> 0,
    (c + bytes.readUInt32LE(at + 8)) >>> 0,
  ];
}

function mix([a, b, c]: Mixed): Mixed {
  let [x, y, z] = [a, b, c];
  for (const [right, left, last] of [
    [13, 8, 13],
    [12, 16, 5],
    [3, 10, 15],
  ] as const) {
    x = ((x - y - z) ^ (z >>> right)) >>> 0;
    y = ((y - z - x) ^ (x << left)) >>> 0;
    z = ((z - x - y) ^ (y >>> last)) >>> 0;
  }
  return [x, y, z];
}

function hashOf(name: string, range: VipRange): bigint {
  if (range.family === 4) return BigInt(phash2(name));
  return BigInt(`0x${createHash('sha1').update(name).digest('hex')}`);
}

function familyOf(address: string): 4 | 6 {
  return isIPv6(address) ? 6 : 4;
}

function toNumber(address: string): bigint {
  if (!isIPv6(address)) return BigInt(parseIpv4(address));
  return ipaddr.IPv6.parse(address)
    .toByteArray()
    .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function toAddress(range: VipRange, number: bigint): string {
  if (range.family === 4) return formatIpv4(Number(number));
  const bytes = Array.from({ length: 16 }, (_, i) => Number((number >> BigInt(8 * (15 - i))) & 255n));
  return new ipaddr.IPv6(bytes).toRFC5952String();
}
