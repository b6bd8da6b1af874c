import { fastSockets } from './fast/fast-sockets.ts';
import { openLibc } from './fast/libc.ts';
import { plainSockets } from './plain-sockets.ts';
import type { SocketLayer } from './sockets.ts';

export type SocketChoice = 'fast' | 'plain';

/** The fast layer where it is wanted and the runtime can call the C library; else the plain one. */
export function chooseSockets(wanted: SocketChoice): SocketLayer {
  const libc = wanted === 'plain' ? undefined : openLibc();
  return libc === undefined ? plainSockets : fastSockets(libc);
}
