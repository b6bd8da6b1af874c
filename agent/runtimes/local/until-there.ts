import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../core/kit/clock.ts';
import { Doorbell } from './doorbell.ts';

/** For tests: resolves when a file is there, without polling; makes the directory above its own to have one to watch. */
export async function untilThere(path: string): Promise<void> {
  const dir = join(path, '..');
  await mkdir(join(dir, '..'), { recursive: true });
  const giveUp = systemClock.now() + 20_000;
  while (!existsSync(path)) {
    if (systemClock.now() > giveUp) throw new Error(`${path} did not appear`);
    if (!existsSync(dir)) {
      using parent = new Doorbell(join(dir, '..'), { clock: systemClock });
      if (!existsSync(dir)) await parent.answer(1_000);
      continue;
    }
    using bell = new Doorbell(dir, { clock: systemClock });
    if (!existsSync(path)) await bell.answer(1_000);
  }
}
