import { closeSync, openSync } from 'node:fs';
import { readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';

const longest = 100;
const meeting = 'edge.sock';

/** Where the edge of this process listens; `publish` leads who looks for the edge of a folder there. */
export function ownName(pid: number): string {
  return `edge-${pid}.sock`;
}

/**
 * Where an agent and the edge it holds meet: a socket in the data folder. A path of the kernel's sockets is short, that of a folder may
 * be long; then it is named by the open folder. `close` when it is not needed any more.
 */
export function meetingPlace(folder: string, name = meeting): { readonly path: string; close(): void } {
  const path = join(folder, name);
  if (path.length <= longest) return { path, close() {} };
  const open = openSync(folder, 'r');
  return { path: `/proc/self/fd/${open}/${name}`, close: () => closeSync(open) };
}

/** At once: nobody finds nothing there. */
export async function publish(folder: string, name: string): Promise<void> {
  const link = join(folder, `${name}.new`);
  await rm(link, { force: true });
  await symlink(name, link);
  await rename(link, join(folder, meeting));
}

/** What processes left that could not clean up. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid] = /^edge-(\d+)\.sock$/.exec(name) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
