import { isIP, isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { type ListenAddress, listenError } from '../../core/kit/listen.ts';
import { C, type Libc } from './libc.ts';
import { readSocketAddress, socketAddress, socketAddressLength } from './socket-address.ts';

/** A blocked thread looks up so often, so that a process can always end. */
const lookUpEveryMs = 250;
const receiveBuffer = 1 << 20;

/** Not an IPv6 address with a zone (`fe80::1%eth0`): those need the interface's number. */
export function canBind({ address }: ListenAddress): boolean {
  return isIP(address) !== 0 && !address.includes('%');
}

/** A UDP socket that is bound, as a file descriptor. Throws PortInUse or CannotListen. */
export function bound(libc: Libc, at: ListenAddress): number {
  const six = isIPv6(at.address);
  const fd = libc.socket(six ? C.AF_INET6 : C.AF_INET, C.SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) throw listenError(at, 'udp', systemError(libc, 'socket'));
  setOption(libc, fd, { level: C.SOL_SOCKET, name: C.SO_RCVBUF, value: Int32Array.of(receiveBuffer) });
  // struct timeval: seconds and microseconds
  const timeout = BigInt64Array.of(0n, BigInt(lookUpEveryMs) * 1_000n);
  setOption(libc, fd, { level: C.SOL_SOCKET, name: C.SO_RCVTIMEO, value: timeout });
  if (six) setOption(libc, fd, { level: C.IPPROTO_IPV6, name: C.IPV6_V6ONLY, value: Int32Array.of(1) });
  const address = socketAddress(at);
  if (libc.bind(fd, address, address.length) === 0) return fd;
  const error = systemError(libc, 'bind');
  libc.close(fd);
  throw listenError(at, 'udp', error);
}

type SocketOption = {
  readonly level: number;
  readonly name: number;
  readonly value: Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;
};

/** Sets an option of a socket; one the kernel does not have is left as it is. */
export function setOption(libc: Libc, fd: number, { level, name, value }: SocketOption): void {
  libc.setsockopt(fd, level, name, value, value.byteLength);
}

function systemError(libc: Libc, call: string): Error {
  const code = getSystemErrorName(-libc.errno());
  return Object.assign(new Error(`${call}: ${code}`), { code });
}

/** The port a socket has. */
export function boundPort(libc: Libc, fd: number): number {
  const address = Buffer.from(new ArrayBuffer(socketAddressLength));
  libc.getsockname(fd, address, Uint32Array.of(socketAddressLength));
  return readSocketAddress(address).port;
}
