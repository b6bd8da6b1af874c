import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { crc32c } from './crc32c.ts';

/** The PROXY protocol, versions 1 and 2 (HAProxy's doc/proxy-protocol.txt). Sections named here are that document's. */

/** One end of the connection that a proxy took. */
export type ProxyEnd = { readonly address: string; readonly port: number };

export type ProxyEnds = { readonly source: ProxyEnd; readonly destination: ProxyEnd };

export type ProxyScan =
  /** `ends` undefined: the proxy speaks for itself, or does not know; the connection's own ends count. */
  | { readonly kind: 'header'; readonly length: number; readonly ends: ProxyEnds | undefined }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'fault'; readonly reason: string };

const incomplete: ProxyScan = { kind: 'incomplete' };
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const word = Buffer.from('PROXY ', 'latin1');
/** §2.1, with its CRLF. */
const longestLine = 107;
/** Ours: TLVs of certificates are long, but nobody needs more. */
const longestBlock = 16_384;

/** Reads the header at the front of a connection's first bytes. Whatever is not exactly as the document has it is a fault. */
export function scanProxyHeader(bytes: Buffer): ProxyScan {
  if (beginsWith(bytes, signature)) return bytes.length < 16 ? incomplete : scanBinary(bytes);
  if (beginsWith(bytes, word)) return scanLine(bytes);
  return fault('there is no PROXY header');
}

/** As far as there are bytes. */
function beginsWith(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function scanLine(bytes: Buffer): ProxyScan {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n');
  if (end === -1) return bytes.length < longestLine ? incomplete : fault('the line is longer than 107 bytes');
  const line = bytes.toString('latin1', 0, end);
  const length = end + 2;
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN '))
    return { kind: 'header', length, ends: undefined };
  const [, family, source = '', destination = '', ...ports] =
    /^PROXY TCP([46]) ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? [];
  const isAddress = family === '4' ? isIPv4 : isIPv6;
  if (family === undefined || !isAddress(source) || !isAddress(destination))
    return fault('the line is not understood');
  const [from, to] = ports.map(portIn);
  if (from === undefined || to === undefined) return fault('a port is none');
  const ends = { source: { address: source, port: from }, destination: { address: destination, port: to } };
  return { kind: 'header', length, ends };
}

/** Without leading zeros (§2.1). */
function portIn(text: string): number | undefined {
  const port = Number(text);
  return port <= 65_535 && String(port) === text ? port : undefined;
}

/** Family and transport (§2.2), with the bytes of one address; 0 for those whose addresses say nothing to us. */
const families: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 4],
  [0x12, 4],
  [0x21, 16],
  [0x22, 16],
  [0x31, 108],
  [0x32, 108],
]);

function scanBinary(bytes: Buffer): ProxyScan {
  const [command = 0, family = 0] = bytes.subarray(12, 14);
  const block = bytes.readUInt16BE(14);
  if (command !== 0x20 && command !== 0x21) return fault('version or command is not known');
  if (block > longestBlock) return fault(`the header is longer than ${longestBlock} bytes`);
  const length = 16 + block;
  // §2.2: of LOCAL everything else is skipped.
  const size = command === 0x20 ? 0 : families.get(family);
  if (size === undefined) return fault('the address family is not known');
  if (bytes.length < length) return incomplete;
  if (command === 0x20) return { kind: 'header', length, ends: undefined };
  const fixed = size === 108 ? 216 : size === 0 ? 0 : 2 * size + 4;
  if (block < fixed) return fault('the addresses are cut off');
  const broken = family === 0 ? undefined : extraFault(bytes.subarray(0, length), 16 + fixed);
  if (broken !== undefined) return fault(broken);
  return {
    kind: 'header',
    length,
    ends: family === 0x11 || family === 0x21 ? endsIn(bytes, size) : undefined,
  };
}

function endsIn(bytes: Buffer, size: number): ProxyEnds {
  const at = 16 + 2 * size;
  return {
    source: { address: addressIn(bytes.subarray(16, 16 + size)), port: bytes.readUInt16BE(at) },
    destination: { address: addressIn(bytes.subarray(16 + size, at)), port: bytes.readUInt16BE(at + 2) },
  };
}

function addressIn(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(2 * n).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

const crcType = 0x03;

/** What follows the addresses (§2.2.1) is skipped, but it must be whole, and a checksum must be right. */
function extraFault(header: Buffer, start: number): string | undefined {
  for (let at = start; at < header.length; ) {
    if (at + 3 > header.length) return 'a further value is cut off';
    const type = header[at];
    const value = at + 3;
    at = value + header.readUInt16BE(at + 1);
    if (at > header.length) return 'a further value is cut off';
    if (type !== crcType) continue;
    if (at - value !== 4 || !isChecked(header, value)) return 'the checksum is wrong';
  }
  return undefined;
}

function isChecked(header: Buffer, at: number): boolean {
  const blank = Buffer.from(header);
  blank.fill(0, at, at + 4);
  return crc32c(blank) === header.readUInt32BE(at);
}

function fault(reason: string): ProxyScan {
  return { kind: 'fault', reason };
}

/** The header for an endpoint, one character per byte. */
export function renderProxyHeader(version: 'v1' | 'v2', ends: ProxyEnds): string {
  const both = sameFamily(ends);
  return version === 'v1' ? renderLine(both) : renderBinary(both);
}

/** What a proxy that asks for itself begins with (§2.1 UNKNOWN, §2.2 LOCAL). */
export function ownProxyHeader(version: 'v1' | 'v2'): string {
  return version === 'v1' ? 'PROXY UNKNOWN\r\n' : `${signature.toString('latin1')}\x20\0\0\0`;
}

/** An IPv4 address beside one of IPv6 is written as that. */
function sameFamily({ source, destination }: ProxyEnds): ProxyEnds {
  if (isIPv4(source.address) === isIPv4(destination.address)) return { source, destination };
  const six = ({ address, port }: ProxyEnd) => ({
    address: isIPv4(address) ? `::ffff:${address}` : address,
    port,
  });
  return { source: six(source), destination: six(destination) };
}

function renderLine({ source, destination }: ProxyEnds): string {
  const family = isIPv4(source.address) ? 'TCP4' : 'TCP6';
  return `PROXY ${family} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`;
}

function renderBinary({ source, destination }: ProxyEnds): string {
  const isFour = isIPv4(source.address);
  const addresses = [source, destination].map(({ address }) =>
    isFour ? fourBytes(address) : sixBytes(address),
  );
  const rest = Buffer.alloc(8);
  rest[0] = 0x21;
  rest[1] = isFour ? 0x11 : 0x21;
  rest.writeUInt16BE(isFour ? 12 : 36, 2);
  rest.writeUInt16BE(source.port, 4);
  rest.writeUInt16BE(destination.port, 6);
  const all = [signature, rest.subarray(0, 4), ...addresses, rest.subarray(4)];
  return Buffer.concat(all).toString('latin1');
}

function fourBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function sixBytes(address: string): Buffer {
  const plain = address.replace(/%.*/, '');
  const mapped = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  const hex = (a = '', b = '') => ((Number(a) << 8) | Number(b)).toString(16);
  const text =
    mapped === null ? plain : `${mapped[1]}${hex(mapped[2], mapped[3])}:${hex(mapped[4], mapped[5])}`;
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [n, group] of [...left, ...zeros, ...right].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * n);
  return bytes;
}
