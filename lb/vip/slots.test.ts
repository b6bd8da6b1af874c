import fc from 'fast-check';
import t from 'tap';
import { vip } from './backend.contract.ts';
import { slotsOf } from './slots.ts';
import type { VipService, VipTarget } from './table.ts';

const target = (n: number, weight?: number): VipTarget => ({
  instanceId: `i${n}`,
  address: `10.0.0.${n}`,
  port: 80,
  ...(weight === undefined ? {} : { weight }),
});
const of = (backends: readonly VipTarget[], balance?: VipService['balance']): VipService => ({
  ...vip('tcp', '100.64.0.1', 80, backends),
  ...(balance === undefined ? {} : { balance }),
});
const shares = (service: VipService) => {
  const { targets } = slotsOf(service);
  const counts = Map.groupBy(targets, ({ instanceId }) => instanceId);
  return service.backends.map(({ instanceId }) => (counts.get(instanceId)?.length ?? 0) / targets.length);
};

t.test('slots at random are the backends, each as often as its weight in lowest terms', async (t) => {
  t.same(
    slotsOf(of([target(1), target(2)])).targets.map(({ instanceId }) => instanceId),
    ['i1', 'i2'],
  );
  t.same(shares(of([target(1, 10), target(2, 30)])), [1 / 4, 3 / 4]);
  t.equal(slotsOf(of([target(1, 10), target(2, 30)])).targets.length, 4);
  t.same(slotsOf(of([])), { choice: 'random', targets: [] });
  t.ok(slotsOf(of([target(1, 97), target(2, 100), target(3, 89)])).targets.length <= 258);
});

t.test('slots by who asks are shared nearly equally, or by weight', async (t) => {
  for (const balance of ['source-hash', 'maglev'] as const) {
    for (const share of shares(
      of(
        [1, 2, 3, 4, 5].map((n) => target(n)),
        balance,
      ),
    ))
      t.ok(Math.abs(share - 0.2) < 0.01, `${balance}: ${share}`);
    const [light = 0, heavy = 0] = shares(of([target(1, 1), target(2, 3)], balance));
    t.ok(Math.abs(heavy / light - 3) < 0.1, `${balance}: ${heavy / light}`);
  }
  t.same(
    [slotsOf(of([target(1)], 'source-hash')).choice, slotsOf(of([target(1)], 'maglev')).choice],
    ['address', 'flow'],
  );
});

t.test('slots by who asks move little when one backend leaves (vip.md §15)', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 12 }), fc.nat(), (count, pick) => {
      const all = Array.from({ length: count }, (_, n) => target(n + 1));
      const gone = all[pick % count];
      const before = slotsOf(of(all, 'maglev')).targets;
      // A table keeps its size while it has about a hundred slots for each backend.
      const after = slotsOf(
        of(
          all.filter((one) => one !== gone),
          'maglev',
        ),
      ).targets;
      if (before.length !== after.length) return true;
      const moved = before.filter((one, i) => one !== gone && after[i] !== one).length;
      return moved / before.length < 0.05;
    }),
    { numRuns: 40 },
  );
});
