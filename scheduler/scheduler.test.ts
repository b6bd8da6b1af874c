import t from 'tap';
import type { App } from '../core/model/app.ts';
import { testApp } from '../core/state/testing/apps.ts';
import { startMaster } from './testing/master.ts';

const put = (app: App) => (root: ReadonlyMap<string, App>) =>
  ({ kind: 'change', wanted: { after: new Map([...root, [app.id, app]]) } }) as const;

t.test('the scheduler turns a change into placements, instances and a finished deployment', async (t) => {
  const master = await startMaster(t);
  const accepted = await master.scheduler.update(put(testApp('/web', { instances: 2 })), false);
  t.match(accepted, { kind: 'accepted', deploymentId: 'id-1' });
  const placements = await master.until((s) => s.placementsOf('/web').length === 2 && s.placementsOf('/web'));
  for (const placement of placements) await master.run(placement);
  await master.heard('deployment-done');
  t.equal(master.database.snapshot.table('deployments').size, 0);
  t.same(master.events, [
    'root-changed',
    'deployment-step',
    'deployment-step-done',
    'deployment-step',
    'deployment-step-done',
    'deployment-done',
  ]);
});

t.test('the scheduler refuses a change of an app under change, and makes way for a forced one', async (t) => {
  const master = await startMaster(t);
  const first = master.scheduler.update(put(testApp('/web', { instances: 1 })), false);
  const second = master.scheduler.update(put(testApp('/web', { instances: 2 })), false);
  t.match(await first, { kind: 'accepted' });
  t.same(await second, { kind: 'locked', deployments: ['id-1'] });
  t.match(await master.scheduler.update(put(testApp('/web', { instances: 3 })), true), { kind: 'accepted' });
  await master.until((snapshot) => snapshot.placementsOf('/web').length === 3);
  t.ok(master.events.includes('deployment-failed'));
  t.equal(await master.scheduler.abandon('id-1'), false, 'the cancelled one is gone for good');
});

t.test("the scheduler hands on the caller's own refusal and stores nothing", async (t) => {
  const master = await startMaster(t);
  const result = await master.scheduler.update(() => ({ kind: 'refused', refusal: 'too late' }), false);
  t.same(result, { kind: 'refused', refusal: 'too late' });
  t.equal(master.database.snapshot.table('apps').size, 0);
});

t.test('the scheduler replaces a killed instance and says which ids it knows', async (t) => {
  const master = await startMaster(t);
  await master.scheduler.update(put(testApp('/web')), false);
  const [first] = await master.until((s) => s.placementsOf('/web').length === 1 && s.placementsOf('/web'));
  t.same(await master.scheduler.kill([first!.instanceId, 'web.instance-none'], 'asked'), [first!.instanceId]);
  await master.until((snapshot) => snapshot.placementsOf('/web').length === 2);
  t.match(master.database.snapshot.table('placements').get(first!.instanceId), {
    goal: 'stop',
    reason: 'asked',
  });
});

t.test('the scheduler starts a failed app again when its delay is over, without being told', async (t) => {
  const master = await startMaster(t);
  await master.scheduler.update(put(testApp('/web')), false);
  const [first] = await master.until((s) => s.placementsOf('/web').length === 1 && s.placementsOf('/web'));
  await master.end(first!);
  await master.until((snapshot) => snapshot.table('backoffs').has('/web'));
  await master.settled();
  await master.clock.advance(999);
  t.match(master.scheduler.waiting.get('/web'), { kind: 'backoff', count: 1 });
  await master.clock.advance(1);
  await master.until((snapshot) => snapshot.placementsOf('/web').length === 1);
});

t.test('the scheduler judges no agent by the time its own machine was asleep', async (t) => {
  const master = await startMaster(t);
  await master.scheduler.update(put(testApp('/web')), false);
  const [first] = await master.until((s) => s.placementsOf('/web').length === 1 && s.placementsOf('/web'));
  await master.run(first!);
  await master.until((snapshot) => snapshot.table('deployments').size === 0);
  master.clock.jump(3_600_000);
  await master.scheduler.update(put(testApp('/other')), false);
  await master.until((snapshot) => snapshot.placementsOf('/other').length === 1);
  t.equal(master.database.snapshot.table('placements').get(first!.instanceId)?.goal, 'run');
});
