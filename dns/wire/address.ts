import { isIPv4, isIPv6 } from 'node:net';
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

/** The four bytes of a dotted quad. */
export function ipv4Bytes(text: string): number[] {
  if (!isIPv4(text)) throw new UnencodableError(`Cannot encode an A record: '${text}' is no IPv4 address`);
  return text.split('.').map(Number);
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

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return ipv4Bytes(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
