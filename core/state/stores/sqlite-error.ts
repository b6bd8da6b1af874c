import { errorCode, errorText } from '../../kit/errors.ts';
import { StoreUnavailable } from '../store.ts';

/** SQLite primary result codes (sqlite3.h). */
const reasons: Readonly<Record<number, string>> = {
  5: 'it is in use by another process',
  6: 'it is in use by another process',
  8: 'it cannot be written (read-only)',
  10: 'the disk failed to read or write',
  11: 'the database file is damaged',
  13: 'the disk is full',
  14: 'the database file cannot be opened or made there',
  26: 'the file weir.sqlite there is not a database',
};

const systemReasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it cannot be written (read-only)',
  ENOSPC: 'the disk is full',
  ENOENT: 'no folder can be made there',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a file has that name, not a folder',
};

/** Any failure of the data folder, as the seam's error: names the folder and the reason. */
export function unavailable(folder: string, error: unknown, holder?: string): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  const where = `in the folder ${folder}`;
  const reason = reasons[resultCode(error) & 0xff] ?? systemReasons[errorCode(error) ?? ''];
  if (reason === undefined) return new StoreUnavailable(where, errorText(error), error);
  const words = errorText(error);
  const by = holder === undefined ? '' : ` (${holder})`;
  return new StoreUnavailable(where, `${reason}${by}: ${words}`, error);
}

export function isBusy(error: unknown): boolean {
  return [5, 6].includes(resultCode(error) & 0xff);
}

function resultCode(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return 0;
  return typeof error.errcode === 'number' ? error.errcode : 0;
}
