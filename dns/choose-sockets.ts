import { fastSockets } from './fast/fast-sockets.ts';
import { openLibc } from './fast/libc.ts';
import { fastWhenBusy } from './fast/when-busy.ts';
import { plainSockets } from './plain-sockets.ts';
import type { SocketLayer } from './sockets.ts';

/** `auto`: plain, and fast from the moment an address is busy. */
export type SocketChoice = 'auto' | 'fast' | 'plain';

/** What was wanted where the runtime can call the C library; else the plain layer. */
export function chooseSockets(wanted: SocketChoice, threads = 1): SocketLayer {
  const libc = wanted === 'plain' ? undefined : openLibc();
  if (libc === undefined) return plainSockets;
  return wanted === 'auto' ? fastWhenBusy(libc, { threads }) : fastSockets(libc, threads);
}
