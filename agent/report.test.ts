import t, { type Test } from 'tap';
import type { AgentReport } from '../core/model/master-port.ts';
import { assignmentOf, endpointOf, keyOf } from './testing/assignments.ts';
import { turns } from './testing/eventually.ts';
import { TestWorld } from './testing/world.ts';

const bothPlaced = [assignmentOf('a'), assignmentOf('b', { hostPorts: [31_001] })];

t.test('the first report of a connection is complete, later ones say what changed', async (t) => {
  const { world } = await runningTwo(t);
  t.ok(world.master.reports[0]?.complete);
  t.notOk(world.master.reports.slice(1).some(({ complete }) => complete));

  const before = world.master.reports.length;
  world.host.machine.end(keyOf('b'), 3);
  await world.until(() => world.told('b')?.kind === 'ended');
  const said = world.master.reports.slice(before).flatMap(({ instances }) => instances);
  t.same([...new Set(said.map(({ instanceId }) => instanceId))], ['web.instance-b']);
});

t.test('a report goes out each second although nothing changed', async (t) => {
  const { world } = await runningTwo(t);
  await turns();
  const before = world.master.reports.length;
  for (let second = 0; second < 3; second += 1) await world.clock.advance(1_000);
  t.equal(world.master.reports.length, before + 3);
  t.ok(world.master.reports.slice(before).every(({ instances }) => instances.length === 0));
});

t.test('what a lost report said is said again, as it is by then', async (t) => {
  const { world } = await runningTwo(t);
  await turns();
  const tried: AgentReport[] = [];
  world.master.onReport = (report: AgentReport) => {
    tried.push(report);
    if (tried.some(isOver)) world.master.onReport = () => {};
    throw new Error('the connection was reset');
  };
  world.host.machine.end(keyOf('a'), 3);
  await world.whileTimeGoesBy(() => world.told('a')?.kind === 'ended');
  t.match(world.told('a'), { how: 'failed', exitCode: 3 });
  t.ok(tried.some(isOver), 'it had been lost');
});

t.test('a new connection gets a complete report, whatever the one before was told', async (t) => {
  const { world } = await runningTwo(t);
  world.master.hangUp();
  await turns();
  const before = world.master.reports.length;
  await world.clock.advance(5_000);
  await world.until(() => world.master.connections.length === 2);
  await world.until(() => world.master.reports.length > before);
  const report = world.master.reports[before];
  t.ok(report?.complete);
  t.same(report?.instances.map(({ instanceId }) => instanceId).sort(), ['web.instance-a', 'web.instance-b']);
});

t.test(
  'a complete report that was on its way at a reconnect does not count for the new connection',
  async (t) => {
    const { world } = await runningTwo(t);
    await turns();
    const slow = Promise.withResolvers<void>();
    const sent: boolean[] = [];
    world.master.onReport = ({ complete }: AgentReport) => {
      sent.push(complete);
      return slow.promise;
    };
    await world.clock.advance(1_000);
    t.same(sent, [false], 'a heartbeat is on its way');
    world.master.hangUp();
    await turns();
    await world.clock.advance(200);
    await world.until(() => world.master.connections.length === 2);
    await turns();
    slow.resolve();
    await world.until(() => sent.length === 2);
    t.same(sent, [false, true]);
  },
);

t.test('nothing is reported without a connection', async (t) => {
  const { world } = await runningTwo(t);
  world.master.reachable = false;
  world.master.hangUp();
  await turns();
  const before = world.master.reports.length;
  await world.clock.advance(10_000);
  world.host.machine.end(keyOf('a'), 3);
  await world.until(() => world.host.leftOf(keyOf('a')).length === 0);
  t.equal(world.master.reports.length, before);
  world.master.reachable = true;
  await world.whileTimeGoesBy(() => world.told('a')?.kind === 'ended');
  t.ok(world.master.reports[before]?.complete);
});

t.test('an acknowledgement is reported at once', async (t) => {
  const { world } = await runningTwo(t);
  world.master.say({ kind: 'directory', delta: { from: 0, revision: 7 } });
  await world.until(() => world.master.reports.at(-1)?.acks.dns === 7);
  t.equal(world.consumer.inForce, 7);
});

t.test(
  'while requests are in flight to what left, they are reported every 50 ms, however much else is',
  async (t) => {
    const { world } = await runningTwo(t);
    await turns();
    world.consumer.carried.set('web.instance-a', 1);
    const ends = { from: 5, revision: 6, endpoints: { set: [], gone: ['web.instance-a'] } };
    world.master.say(
      { kind: 'directory', delta: { from: 0, revision: 5, endpoints: { set: [endpointOf('a')], gone: [] } } },
      { kind: 'directory', delta: ends },
    );
    await world.until(() => world.master.reports.at(-1)?.inFlight['web.instance-a'] === 1);
    for (let revision = 7; revision < 17; revision += 1) {
      world.master.say({ kind: 'directory', delta: { from: revision - 1, revision } });
      await world.until(() => world.master.reports.at(-1)?.acks.dns === revision);
      await world.clock.advance(3);
    }
    await turns();
    const before = world.master.reports.length;
    for (let poll = 0; poll < 10; poll += 1) await world.clock.advance(50);
    t.equal(world.master.reports.length, before + 10);

    world.consumer.carried.clear();
    await world.clock.advance(50);
    await turns();
    t.same(world.master.reports.at(-1)?.inFlight, {});
    const quiet = world.master.reports.length;
    await world.clock.advance(950);
    t.equal(world.master.reports.length, quiet, 'then once a second again');
  },
);

function isOver({ instances }: AgentReport): boolean {
  return instances.some(({ state }) => state.kind === 'ended');
}

async function runningTwo(t: Test) {
  const world = TestWorld.open(t);
  world.master.assign(...bothPlaced);
  const agent = await world.agent(t);
  await world.until(() => world.told('a')?.kind === 'running' && world.told('b')?.kind === 'running');
  return { world, agent };
}
