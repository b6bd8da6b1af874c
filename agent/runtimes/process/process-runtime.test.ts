import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { containerRuntimeContract } from '../../runtime.contract.ts';
import { ProcessRuntime } from './process-runtime.ts';

containerRuntimeContract(t, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'weir-process-'));
  await mkdir(join(dir, 'folder'), { mode: 0o777 });
  return {
    open: () => new ProcessRuntime({ dataDir: join(dir, 'data'), clock: systemClock }),
    logRoot: join(dir, 'logs'),
    folder: join(dir, 'folder'),
    close: () => rm(dir, { recursive: true }),
  };
});
