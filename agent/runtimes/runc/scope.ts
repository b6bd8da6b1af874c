import { createHash } from 'node:crypto';
import { resolve } from 'node:path';

/** Name below /weir in the control group tree of the containers of one data folder. */
export function controlGroupScope(dataDir: string, given?: string): string {
  return given ?? createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 12);
}
