import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { App } from '../core/model/app.ts';
import { ownerOf } from './containers.ts';
import { podOf } from './testing/assignments.ts';
import { eventually } from './testing/eventually.ts';
import { Processes } from './testing/processes.ts';
import { SmallCluster } from './testing/small-cluster.ts';
import { TestWorld } from './testing/world.ts';

/** Histories mostly wait for the disk. */
const atOnce = 12;

for (const [what, app] of [
  ['an app', {}],
  ['a pod', podOf('web', 'side')],
] as const)
  t.test(
    `an agent killed between any two of its acts on ${what} loses, doubles and leaks nothing`,
    async (t) => {
      const folder = t.testdir();
      let over = false;
      let first = 1;
      for (; !over; first += atOnce) {
        const points = Array.from({ length: atOnce }, (_, index) => first + index);
        const outcomes = await Promise.all(
          points.map((point) => history(join(folder, String(point)), [point], app)),
        );
        for (const [index, { deaths, faults }] of outcomes.entries())
          t.same(faults, [], `killed at ${first + index}: ${deaths}`);
        over = outcomes.some(({ deaths }) => deaths.length === 0);
      }
      t.ok(first > 60, `the history has about ${first} points`);
    },
  );

t.test('an agent killed again and again while it recovers loses, doubles and leaks nothing', async (t) => {
  const folder = t.testdir();
  let run = 0;
  const lives = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(lives, async (deaths) => {
      run += 1;
      const { faults } = await history(
        join(folder, String(run)),
        deaths,
        run % 2 === 0 ? {} : podOf('web', 'side'),
      );
      return faults.length === 0 || Promise.reject(new Error(faults.join('; ')));
    }),
    { numRuns: Number(process.env.WEIR_RUNS ?? 10) },
  );
  t.pass(`${run} histories`);
});

/** Two instances are started, one is stopped, the other fails; agent after agent is killed after that many acts. */
async function history(folder: string, lives: readonly number[], app: Partial<App>) {
  const world = new TestWorld(join(folder, '0'));
  const cluster = new SmallCluster(world.master, world.host, app);
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
  const { machine, namespaces, attachments, volumes } = world.host;
  const known = new Set(running);
  const found = [
    [...new Set(machine.containers.map(({ spec }) => ownerOf(spec.id, known)?.key ?? spec.id))],
    [...namespaces].map((path) => path.slice('/netns/'.length)),
    [...new Set([...attachments.values()].map(({ instanceId }) => instanceId))],
    readdirSync(join(dataDir, 'instances')).map((file) => file.slice(0, -'.json'.length)),
  ];
  const hasOwnVolumes = [...volumes.folders.keys()].every((key) => known.has(key));
  return hasOwnVolumes && found.every((keys) => keys.toSorted().join() === running.toSorted().join());
}
