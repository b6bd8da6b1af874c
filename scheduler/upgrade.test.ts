import fc from 'fast-check';
import t from 'tap';
import type { UpgradeStrategy } from '../core/model/app.ts';
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
    const rolling = { target: n, oldReady: n, oldRunning: n, active: n, started: 0, newReady: 0 };
    t.same(
      capacityBounds(n, n, strategy),
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

/** Instances of a rolling replacement by what they do. */
type Crowd = { old: number; oldSick: number; leaving: number; staging: number; ready: number };

t.test('rollingMove reaches the target and never crosses the capacity bounds', async () => {
  const count = fc.integer({ min: 0, max: 8 });
  fc.assert(
    fc.property(
      fc.record({ n: fc.integer({ min: 1, max: 12 }), old: count, oldSick: count }),
      fc.record({ minimumHealthCapacity: fraction, maximumOverCapacity: fraction }),
      fc.infiniteStream(fc.boolean()),
      ({ n, old, oldSick }, strategy, luck) => {
        const crowd: Crowd = { old, oldSick, leaving: 0, staging: 0, ready: 0 };
        for (let round = 0; round < 400; round++) {
          if (!moveKeepsBounds(crowd, n, strategy)) return false;
          if (crowd.old + crowd.oldSick + crowd.leaving === 0 && crowd.ready === n) return true;
          happen(crowd, luck);
        }
        return false;
      },
    ),
    { numRuns: 1_000 },
  );
});

function moveKeepsBounds(crowd: Crowd, n: number, strategy: UpgradeStrategy): boolean {
  const ready = crowd.old + crowd.ready;
  const bounds = capacityBounds(n, ready, strategy);
  const activeBefore = activeOf(crowd);
  const move = rollingMove(
    {
      target: n,
      oldReady: crowd.old,
      oldRunning: crowd.old + crowd.oldSick,
      active: activeBefore,
      started: crowd.staging + crowd.ready,
      newReady: crowd.ready,
    },
    strategy,
  );
  const sick = Math.min(crowd.oldSick, move.stop);
  crowd.oldSick -= sick;
  crowd.old -= move.stop - sick;
  crowd.leaving += move.stop;
  crowd.staging += move.start;
  const keepsReady = crowd.old + crowd.ready >= Math.min(ready, bounds.minHealthy);
  const keepsCapacity = move.start === 0 || activeOf(crowd) <= bounds.maxCapacity;
  return crowd.old >= 0 && crowd.staging + crowd.ready <= n && keepsReady && keepsCapacity;
}

function activeOf(crowd: Crowd): number {
  return crowd.old + crowd.oldSick + crowd.leaving + crowd.staging + crowd.ready;
}

function happen(crowd: Crowd, luck: Iterator<boolean>): void {
  if (crowd.staging > 0 && luck.next().value) {
    crowd.staging -= 1;
    crowd.ready += 1;
  }
  if (crowd.leaving > 0 && luck.next().value) crowd.leaving -= 1;
}
