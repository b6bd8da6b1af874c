import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** Where Debian keeps programs for the administrator; not in the path of an ordinary user. */
export const administratorPath: readonly string[] = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Full path of a program, undefined when there is none. */
export async function findProgram(name: string, path = process.env.PATH ?? ''): Promise<string | undefined> {
  const folders = [...path.split(':').filter((folder) => folder !== ''), ...administratorPath];
  for (const folder of folders) {
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
