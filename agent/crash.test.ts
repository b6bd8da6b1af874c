import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { eventually } from './testing/eventually.ts';
import { Processes } from './testing/processes.ts';
import { SmallCluster } from './testing/small-cluster.ts';
import { TestWorld } from './testing/world.ts';

/** Histories mostly wait for the disk. */
const atOnce = 12;

t.test('an agent killed between any two of its acts loses, doubles and leaks nothing', async (t) => {
  const folder = t.testdir();
  let over = false;
  let first = 1;
  for (; !over; first += atOnce) {
    const points = Array.from({ length: atOnce }, (_, index) => first + index);
    const outcomes = await Promise.all(points.map((point) => history(join(folder, String(point)), [point])));
    for (const [index, { deaths, faults }] of outcomes.entries())
      t.same(faults, [], `killed at ${first + index}: ${deaths}`);
    over = outcomes.some(({ deaths }) => deaths.length === 0);
  }
  t.ok(first > 60, `the history has about ${first} points`);
});

t.test('an agent killed again and again while it recovers loses, doubles and leaks nothing', async (t) => {
  const folder = t.testdir();
  let run = 0;
  const lives = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(lives, async (deaths) => {
      run += 1;
      const { faults } = await history(join(folder, String(run)), deaths);
      return faults.length === 0 || Promise.reject(new Error(faults.join('; ')));
    }),
    { numRuns: Number(process.env.WEIR_RUNS ?? 10) },
  );
  t.pass(`${run} histories`);
});

/** Two instances are started, one is stopped, the other fails; agent after agent is killed after that many acts. */
async function history(folder: string, lives: readonly number[]) {
  const world = new TestWorld(join(folder, '0'));
  const cluster = new SmallCluster(world.master, world.host);
  const processes = new Processes(world, folder, lives);
  processes.begin();
  const settled = () =>
    eventually(
      () => cluster.settled && processes.alive,
      () => world.clock.advance(25),
    );

  cluster.want(2);
  await settled();
  cluster.want(1);
  await settled();
  cluster.fail(cluster.running[0] ?? '');
  await eventually(
    () => cluster.settled && processes.alive && isClean(world, processes.dataDir, cluster.running),
    () => world.clock.advance(25),
  );
  await processes.end();
  return { faults: cluster.faults, deaths: processes.deaths };
}

/** The machine has what runs, and not a thing more. */
function isClean(world: TestWorld, dataDir: string, running: readonly string[]): boolean {
  const { machine, namespaces, attachments } = world.host;
  const found = [
    machine.containers.map(({ spec }) => spec.id),
    [...namespaces].map((path) => path.slice('/netns/'.length)),
    [...new Set([...attachments.values()].map(({ instanceId }) => instanceId))],
    readdirSync(join(dataDir, 'instances')).map((file) => file.slice(0, -'.json'.length)),
  ];
  return found.every((keys) => keys.toSorted().join() === running.toSorted().join());
}
