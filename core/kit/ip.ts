import { WeirError } from './errors.ts';

/** An IPv4 range. `base` is the network address as an unsigned 32-bit number, `prefix` 0..32. */
export type Cidr4 = { readonly base: number; readonly prefix: number };

export class BadAddress extends WeirError {
  constructor(text: string, expected: string) {
    super('WEIR_BAD_ADDRESS', `"${text}" is not ${expected}`);
  }
}

const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const dotted = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}$`);

/** Strict dotted quad to unsigned 32-bit number. */
export function parseIpv4(text: string): number {
  const match = dotted.exec(text);
  if (match === null) throw new BadAddress(text, 'an IPv4 address (a.b.c.d)');
  return match.slice(1).reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** `a.b.c.d/n` to a range; host bits must be zero. */
export function parseCidr4(text: string): Cidr4 {
  const [address = '', length = '', ...rest] = text.split('/');
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : 99;
  if (rest.length > 0 || prefix > 32 || !dotted.test(address))
    throw new BadAddress(text, 'an IPv4 range (a.b.c.d/n)');
  const base = parseIpv4(address);
  if (base % 2 ** (32 - prefix) !== 0) throw new BadAddress(text, 'an IPv4 range whose host bits are zero');
  return { base, prefix };
}

export function formatCidr4(range: Cidr4): string {
  return `${formatIpv4(range.base)}/${range.prefix}`;
}

export function sizeOf(range: Cidr4): number {
  return 2 ** (32 - range.prefix);
}

export function contains(range: Cidr4, address: number): boolean {
  return address >= range.base && address < range.base + sizeOf(range);
}

export function overlaps(a: Cidr4, b: Cidr4): boolean {
  return contains(a, b.base) || contains(b, a.base);
}
