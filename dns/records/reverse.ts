import { isIP } from 'node:net';
import { formatIpv4, parseCidr4 } from '../../core/kit/ip.ts';
import { ipv6Bytes } from '../wire/address.ts';
import type { Name } from '../wire/types.ts';

/** `10.1.2.3` → `3.2.1.10.in-addr.arpa`, IPv6 by nibbles (RFC 3596 §2.5); undefined when the text is no address. */
export function reverseName(address: string): Name | undefined {
  const family = isIP(address);
  if (family === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  if (family !== 6 || address.includes('%')) return undefined;
  const nibbles = Buffer.from(ipv6Bytes(address)).toString('hex').split('');
  return `${nibbles.reverse().join('.')}.ip6.arpa`;
}

/** The zones that together hold all reverse names of an IPv4 range: `100.64.0.0/10` → `64.100.in-addr.arpa` … `127.100.in-addr.arpa`. */
export function reverseZones(cidr: string): readonly Name[] {
  const range = parseCidr4(cidr);
  const octets = Math.max(1, Math.ceil(range.prefix / 8));
  const count = 2 ** (octets * 8 - range.prefix);
  const step = 2 ** (32 - octets * 8);
  return Array.from({ length: count }, (_, index) => {
    const first = formatIpv4(range.base + index * step).split('.');
    return `${first.slice(0, octets).reverse().join('.')}.in-addr.arpa`;
  });
}
