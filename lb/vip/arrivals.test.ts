import t from 'tap';
import { Arrivals } from './arrivals.ts';
import { table, vip } from './backend.contract.ts';
import { emptyTable } from './table.ts';

const target = (n: number, instanceId = `i${n}`) => ({ instanceId, address: `10.0.0.${n}`, port: 80 });
const web = (...targets: ReturnType<typeof target>[]) => table(vip('tcp', '100.64.0.1', 80, targets));
const place = (n: number) => `tcp:10.0.0.${n}:80`;

t.test('what was seen of a place before its backend came is about another', async (t) => {
  const arrivals = new Arrivals();
  const [first, second] = [web(target(1)), web(target(1), target(2))];
  t.same(arrivals.observe(emptyTable, first, 1_000), [place(1)]);
  t.same(arrivals.observe(first, second, 2_000), [place(2)]);
  t.ok(arrivals.isOfPresent(place(1), 1_500));
  t.notOk(arrivals.isOfPresent(place(2), 1_500));
  t.ok(arrivals.isOfPresent(place(2), 2_001));
  t.ok(arrivals.isOfPresent(place(3), 0), 'of whom nothing is known');
});

t.test('another instance at the same place came, and so did the same one that had left', async (t) => {
  const arrivals = new Arrivals();
  const [first, none] = [web(target(1)), web(target(2))];
  arrivals.observe(emptyTable, first, 0);
  t.same(arrivals.observe(first, web(target(1, 'other')), 1_000), [place(1)]);
  t.same(arrivals.observe(web(target(1, 'other')), none, 2_000), [place(2)]);
  t.same(arrivals.observe(none, first, 3_000), [place(1)]);
  t.same(
    arrivals.observe(first, web({ ...target(1), weight: 3 } as never), 4_000),
    [],
    'its weight is no news',
  );
  t.notOk(arrivals.isOfPresent(place(1), 2_500));
});
