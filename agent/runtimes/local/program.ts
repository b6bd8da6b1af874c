import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where a program would be found, as execvp(3) looks for it; undefined when nowhere. */
export async function findProgram(
  name: string,
  options: { path: string; cwd: string },
): Promise<string | undefined> {
  const candidates = name.includes('/')
    ? [resolve(options.cwd, name)]
    : options.path.split(':').map((dir) => join(dir || options.cwd, name));
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
