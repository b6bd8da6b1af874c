import t from 'tap';
import { execContract } from '../exec.contract.ts';
import { createFakeExec } from './fake-exec.ts';

t.test('the fake exec', async (t) => {
  execContract(t, async () => ({ exec: createFakeExec(), dirs: ['/plugins'] }));
});
