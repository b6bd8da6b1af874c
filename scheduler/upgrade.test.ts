import fc from 'fast-check';
import t from 'tap';
import { capacityBounds, rollingMove } from './upgrade.ts';

type Row = readonly [
  n: number,
  minHc: number,
  maxOc: number,
  minHealthy: number,
  maxCapacity: number,
  stop: number,
  start: number,
];

/** The table of Marathon §15.4, all old instances healthy. */
const table: readonly Row[] = [
  [10, 1, 1, 10, 20, 0, 10],
  [4, 0.5, 0.25, 2, 5, 2, 1],
  [3, 1, 0, 3, 4, 0, 1],
  [5, 0.5, 0, 3, 5, 2, 0],
  [1, 0, 0, 0, 1, 1, 0],
  [3, 0.5, 0.5, 2, 4, 1, 1],
];

t.test('rollingMove gives the first moves of the specification table', async (t) => {
  for (const [n, minimumHealthCapacity, maximumOverCapacity, minHealthy, maxCapacity, stop, start] of table) {
    const strategy = { minimumHealthCapacity, maximumOverCapacity };
    const rolling = { target: n, oldReady: n, oldRunning: n, oldActive: n, started: 0, newReady: 0 };
    t.same(
      capacityBounds(n, strategy),
      { minHealthy, maxCapacity },
      `bounds of ${n}/${minimumHealthCapacity}/${maximumOverCapacity}`,
    );
    t.same(
      rollingMove(rolling, strategy),
      { start, stop },
      `moves of ${n}/${minimumHealthCapacity}/${maximumOverCapacity}`,
    );
  }
});

const fraction = fc.integer({ min: 0, max: 20 }).map((n) => n / 20);

t.test('rollingMove reaches the target and never crosses the capacity bounds', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 12 }),
      fraction,
      fraction,
      fc.infiniteStream(fc.boolean()),
      (n, old, minHc, maxOc, luck) => {
        const strategy = { minimumHealthCapacity: minHc, maximumOverCapacity: maxOc };
        const { minHealthy, maxCapacity } = capacityBounds(n, strategy);
        let [oldRunning, oldDraining, fresh, ready] = [old, 0, 0, 0];
        for (let round = 0; round < 400; round++) {
          const active = oldRunning + oldDraining;
          const move = rollingMove(
            {
              target: n,
              oldReady: oldRunning,
              oldRunning,
              oldActive: active,
              started: fresh + ready,
              newReady: ready,
            },
            strategy,
          );
          const before = oldRunning + ready;
          oldRunning -= move.stop;
          oldDraining += move.stop;
          fresh += move.start;
          if (oldRunning < 0 || fresh + ready > n) return false;
          if (before >= minHealthy && oldRunning + ready < Math.min(minHealthy, before)) return false;
          if (move.start > 0 && oldRunning + oldDraining + fresh + ready > maxCapacity) return false;
          if (oldRunning + oldDraining === 0 && ready === n) return true;
          if (fresh > 0 && luck.next().value) {
            fresh -= 1;
            ready += 1;
          }
          if (oldDraining > 0 && luck.next().value) oldDraining -= 1;
        }
        return false;
      },
    ),
    { numRuns: 500 },
  );
});
