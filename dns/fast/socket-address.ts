import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../../core/kit/listen.ts';
import { networkOfBytes } from '../rate-limit.ts';
import { ipv4Number, ipv4Text, ipv6Bytes, ipv6Text } from '../wire/address.ts';
import { C } from './libc.ts';

/** Of `sockaddr_in6`, the longer of the two. */
export const socketAddressLength = 28;

const [portAt, address4At, address6At] = [2, 4, 8];

/** As the kernel has it: `sockaddr_in` (16 bytes) or `sockaddr_in6` (28). */
export function socketAddress({ address, port }: ListenAddress): Buffer<ArrayBuffer> {
  const six = isIPv6(address);
  const bytes = Buffer.from(new ArrayBuffer(six ? socketAddressLength : 16));
  bytes.writeUInt16LE(six ? C.AF_INET6 : C.AF_INET);
  bytes.writeUInt16BE(port, portAt);
  if (six) bytes.set(ipv6Bytes(address), address6At);
  else bytes.writeUInt32BE(ipv4Number(address), address4At);
  return bytes;
}

/** The address alone, as a view: 4 or 16 bytes. */
export function addressIn(bytes: Uint8Array): Uint8Array {
  return bytes[0] === C.AF_INET6
    ? bytes.subarray(address6At, address6At + 16)
    : bytes.subarray(address4At, address4At + 4);
}

/** See networkOf. */
export function networkIn(bytes: Uint8Array): number {
  if (bytes[0] === C.AF_INET6) return networkOfBytes(addressIn(bytes));
  return (bytes[address4At]! << 16) | (bytes[address4At + 1]! << 8) | bytes[address4At + 2]!;
}

export function readSocketAddress(bytes: Buffer): ListenAddress {
  const six = bytes.readUInt16LE() === C.AF_INET6;
  const address = six ? ipv6Text(bytes, address6At) : ipv4Text(bytes, address4At);
  return { address, port: bytes.readUInt16BE(portAt) };
}
