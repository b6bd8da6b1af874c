import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { containerRuntimeContract } from '../../runtime.contract.ts';
import { RuncRuntime } from './runc-runtime.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('runc', { skip }, async (t) => {
  containerRuntimeContract(t, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'weir-runc-'));
    await mkdir(join(dir, 'folder'), { mode: 0o777 });
    return {
      open: () => new RuncRuntime({ dataDir: join(dir, 'data'), clock: systemClock }),
      logRoot: join(dir, 'logs'),
      folder: join(dir, 'folder'),
      close: () => rm(dir, { recursive: true }),
    };
  });
});
