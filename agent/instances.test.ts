import { mkdir, readdir, rm } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { silentLog } from '../core/kit/log.ts';
import type { InstanceState } from '../core/model/instance.ts';
import { Instances } from './instances.ts';
import { Journal } from './journal.ts';
import { recordOf } from './testing/assignments.ts';

const staging: InstanceState = { kind: 'staging', step: 'starting', since: 0 };
const ended: InstanceState = { kind: 'ended', at: 2, how: 'failed', reason: 'exit code 3' };
const running: InstanceState = { kind: 'running', since: 1, addresses: [], health: [] };
const record = recordOf('a', { state: staging });

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

t.test('Instances tells the master each change once', async (t) => {
  const { instances } = await opened(t);
  await instances.put('a', record);
  await instances.put('b', recordOf('b'));
  t.same(names(instances.takeUnreported()), ['web.instance-a', 'web.instance-b']);
  t.same(names(instances.takeUnreported()), []);
  instances.observe('b', { state: { ...running, health: [{ alive: true, consecutiveFailures: 0 }] } });
  t.same(names(instances.takeUnreported()), ['web.instance-b'], 'health is a change, too');
  await instances.update('a', () => undefined);
  t.same(names(instances.takeUnreported()), [], 'nothing changed');
});

t.test('Instances says a lost report again, as things are by then, without what is forgotten', async (t) => {
  const { instances } = await opened(t);
  await instances.put('a', record);
  await instances.put('b', recordOf('b'));
  const lost = instances.takeUnreported();
  await instances.update('a', { state: running });
  await instances.forget('b');
  lost.restore();
  t.match(instances.takeUnreported().instances, [{ instanceId: 'web.instance-a', state: running }]);
});

t.test('Instances says everything on a new connection, and not again', async (t) => {
  const { instances, folder } = await opened(t);
  await instances.put('a', record);
  const restarted = new Instances(new Journal(folder, silentLog), () => {});
  await restarted.load();
  t.same(names(restarted.takeUnreported()), [], 'what was loaded is no change');
  t.equal(restarted.everything().length, 1);
  t.same(names(restarted.takeUnreported()), []);
});

t.test('Instances tells an end when it is cleaned up, or when that takes long', async (t) => {
  const { instances } = await opened(t);
  const state = () => instances.everything()[0]?.state;
  await instances.put('a', { ...record, state: ended });
  t.same(state(), { kind: 'killing', since: 2 });
  await instances.update('a', { lingers: true });
  t.same(state(), ended);
  await instances.put('a', { ...record, state: ended, cleaned: true });
  t.same(state(), ended);
});

t.test('Instances keeps what it knew when the disk refuses a change, and takes the next', async (t) => {
  const { instances, folder } = await opened(t);
  await instances.put('a', record);
  instances.takeUnreported();
  await rm(folder, { recursive: true });
  await t.rejects(instances.update('a', { state: running }), { code: 'ENOENT' });
  t.same(instances.get('a')?.state, staging, 'what is not on disk is not told');
  t.same(names(instances.takeUnreported()), []);
  await mkdir(folder);
  await instances.update('a', { state: running });
  t.same(instances.get('a')?.state, running);
});

t.test('Instances does not write to disk what is only observed', async (t) => {
  const { instances, folder } = await opened(t);
  await instances.put('a', { ...record, state: running });
  instances.observe('a', { state: { ...running, health: [{ alive: true, consecutiveFailures: 0 }] } });
  t.match((await new Journal(folder, silentLog).load()).get('a')?.state, { health: [] });
});

async function opened(t: Test) {
  const folder = t.testdir({ instances: {} });
  const instances = new Instances(new Journal(`${folder}/instances`, silentLog), () => {});
  await instances.load();
  return { instances, folder: `${folder}/instances` };
}

function names({ instances }: ReturnType<Instances['takeUnreported']>): readonly string[] {
  return instances.map(({ instanceId }) => instanceId);
}
