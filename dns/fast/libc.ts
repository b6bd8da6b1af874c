import { endianness } from 'node:os';

const definitions = {
  socket: { return: 'int32', arguments: ['int32', 'int32', 'int32'] },
  setsockopt: { return: 'int32', arguments: ['int32', 'int32', 'int32', 'pointer', 'uint32'] },
  bind: { return: 'int32', arguments: ['int32', 'pointer', 'uint32'] },
  getsockname: { return: 'int32', arguments: ['int32', 'pointer', 'pointer'] },
  recvmmsg: { return: 'int32', arguments: ['int32', 'pointer', 'uint32', 'int32', 'pointer'] },
  sendmmsg: { return: 'int32', arguments: ['int32', 'pointer', 'uint32', 'int32'] },
  sendto: { return: 'int64', arguments: ['int32', 'pointer', 'uint64', 'int32', 'pointer', 'uint32'] },
  shutdown: { return: 'int32', arguments: ['int32', 'int32'] },
  close: { return: 'int32', arguments: ['int32'] },
  dup: { return: 'int32', arguments: ['int32'] },
  fcntl: { return: 'int32', arguments: ['int32', 'int32', 'int32'] },
  __errno_location: { return: 'pointer', arguments: [] },
} as const;

type Functions = ReturnType<typeof import('node:ffi').dlopen<typeof definitions>>['functions'];

/** Functions of the C library, and what goes with calling them. */
export type Libc = Functions & {
  /** Of the call just made. */
  errno(): number;
  addressOf(memory: ArrayBuffer): bigint;
};

/** Of Linux, the same on x86-64 and 64-bit ARM. */
export const C = {
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_DGRAM_CLOEXEC: 0x80002,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_RCVBUF: 8,
  SO_RCVTIMEO: 20,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  MSG_DONTWAIT: 0x40,
  MSG_TRUNC: 0x20,
  MSG_WAITFORONE: 0x10000,
  SHUT_RDWR: 2,
  F_SETFL: 4,
  O_RDWR: 2,
} as const;

/** Undefined where the runtime has no `node:ffi`, or the machine's structures are not those we know. */
export function openLibc(): Libc | undefined {
  const known = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
  if (!known || endianness() !== 'LE') return undefined;
  try {
    const ffi = process.getBuiltinModule('node:ffi');
    const { functions } = ffi.dlopen(null, definitions);
    return {
      ...functions,
      errno: () => ffi.getInt32(functions.__errno_location()),
      addressOf: (memory) => ffi.getRawPointer(memory),
    };
  } catch {
    return undefined;
  }
}
