import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { errorCode } from '../../../core/kit/errors.ts';

/** The text of a file, or undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(undefinedIfMissing);
}

/** ms since the epoch of the last write, or undefined when there is no such file. */
export async function writtenAt(path: string): Promise<number | undefined> {
  const stats = await stat(path).catch(undefinedIfMissing);
  return stats?.mtimeMs;
}

export async function isThere(path: string): Promise<boolean> {
  return (await writtenAt(path)) !== undefined;
}

/** Readers see the old content or the new, never a part. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function undefinedIfMissing(error: unknown): undefined {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH') return undefined;
  throw error;
}
