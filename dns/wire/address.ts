import { isIPv6 } from 'node:net';
import { UnencodableError } from './errors.ts';

export function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** RFC 5952: lower case, no leading zeros, the first of the longest runs of zero groups (two or more) as `::`. */
export function ipv6Text(bytes: Uint8Array, at: number): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((bytes[at + 2 * i] ?? 0) << 8) | (bytes[at + 2 * i + 1] ?? 0),
  );
  const run = longestZeroRun(groups);
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return text(groups);
  return `${text(groups.slice(0, run.start))}::${text(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}

/** A dotted quad as an unsigned 32-bit number. Read by hand: it is most of the cost of an answer otherwise. */
export function ipv4Number(text: string): number {
  let number = 0;
  let dots = 0;
  let octet = -1;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit >= 0 && digit <= 9 && octet !== 0) octet = octet < 0 ? digit : octet * 10 + digit;
    else if (digit === DOT && octet >= 0) {
      number = number * 256 + octet;
      dots += 1;
      octet = -1;
    } else return refuseIpv4(text);
    if (octet > 255) return refuseIpv4(text);
  }
  return dots === 3 && octet >= 0 ? number * 256 + octet : refuseIpv4(text);
}

const DOT = 0x2e - 0x30;

function refuseIpv4(text: string): never {
  throw new UnencodableError(`Cannot encode an A record: '${text}' is no IPv4 address`);
}

/** The sixteen bytes of an IPv6 address without zone; a dotted quad at its end is read too. */
export function ipv6Bytes(text: string): number[] {
  if (!isIPv6(text) || text.includes('%')) {
    throw new UnencodableError(`Cannot encode an AAAA record: '${text}' is no IPv6 address`);
  }
  const [head = '', tail] = text.split('::');
  const front = groupBytes(head);
  if (tail === undefined) return front;
  const back = groupBytes(tail);
  return [...front, ...new Array<number>(16 - front.length - back.length).fill(0), ...back];
}

/** The four or sixteen bytes of an address; a zone (`%eth0`) does not count. */
export function addressBytes(text: string): Uint8Array {
  if (text.includes(':')) return Uint8Array.from(ipv6Bytes(text.split('%')[0] ?? ''));
  const number = ipv4Number(text);
  return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
