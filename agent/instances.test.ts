import { readdir } from 'node:fs/promises';
import t from 'tap';
import { silentLog } from '../core/kit/log.ts';
import type { InstanceState } from '../core/model/instance.ts';
import { Instances } from './instances.ts';
import { Journal } from './journal.ts';
import type { InstanceRecord } from './record.ts';

const staging: InstanceState = { kind: 'staging', step: 'starting', since: 0 };
const ended: InstanceState = { kind: 'ended', at: 2, how: 'failed', reason: 'exit code 3' };
const running: InstanceState = { kind: 'running', since: 1, addresses: [], health: [] };
// The journal never looks into an assignment.
const record = {
  assignment: {},
  stagedAt: 0,
  state: staging,
  addresses: [],
  cleaned: false,
} as unknown as InstanceRecord;

t.test('Instances makes changes of one record one after the other, on disk as in memory', async (t) => {
  const folder = t.testdir();
  const instances = new Instances(new Journal(folder, silentLog), () => {});
  await instances.load();
  await instances.put('a', record);
  await Promise.all([
    instances.update('a', { state: ended }),
    instances.update('a', ({ state }) => (state.kind === 'staging' ? { state: running } : undefined)),
    instances.update('a', { cleaned: true }),
  ]);
  t.match(instances.get('a'), { state: ended, cleaned: true });
  t.match((await new Journal(folder, silentLog).load()).get('a'), { state: ended, cleaned: true });
  await Promise.all([instances.forget('a'), instances.update('a', { state: running })]);
  t.equal(instances.get('a'), undefined);
  t.same(await readdir(folder), [], 'a late change does not bring a forgotten record back');
});
