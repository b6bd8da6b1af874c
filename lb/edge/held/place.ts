import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

const longest = 100;

/**
 * Where an agent and the edge it holds meet: a socket in the data folder. A path of the kernel's sockets is short, that of a folder may
 * be long; then it is named by the open folder. `close` when it is not needed any more.
 */
export function meetingPlace(folder: string): { readonly path: string; close(): void } {
  const path = join(folder, 'edge.sock');
  if (path.length <= longest) return { path, close() {} };
  const open = openSync(folder, 'r');
  return { path: `/proc/self/fd/${open}/edge.sock`, close: () => closeSync(open) };
}
