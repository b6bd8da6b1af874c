import { access, constants, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { defaults } from '../options/settings.ts';

export type DataFolder = {
  readonly path: string;
  /** MiB that this user may still write; undefined: the place cannot be looked at. */
  readonly free: number | undefined;
  readonly writable: boolean;
};

/** Images and their layers need room long before the state does. */
export const littleSpace = 1_024;

export async function dataFolder(): Promise<DataFolder> {
  const path = resolve(process.env.WEIR_DATA ?? defaults.data);
  const place = await existing(path);
  const space = await statfs(place).catch(() => undefined);
  const writable = await access(place, constants.W_OK).then(
    () => true,
    () => false,
  );
  return { path, free: space && Math.floor((space.bavail * space.bsize) / 2 ** 20), writable };
}

/** The folder, or the nearest one above it that is there already. */
async function existing(path: string): Promise<string> {
  const found = await access(path).then(
    () => true,
    () => false,
  );
  return found || path === dirname(path) ? path : existing(dirname(path));
}
