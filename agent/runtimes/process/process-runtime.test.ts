import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { containerRuntimeContract } from '../../runtime.contract.ts';
import { ProcessRuntime } from './process-runtime.ts';

containerRuntimeContract(t, async (t) => {
  const dir = t.testdir();
  const dataDir = join(dir, 'data');
  return {
    open: () => new ProcessRuntime({ dataDir, clock: systemClock }),
    logRoot: join(dir, 'logs'),
  };
});
