import fc from 'fast-check';
import t from 'tap';
import { table, vip } from './backend.contract.ts';
import { applied, decide } from './decide.ts';
import type { VipTable } from './table.ts';

const one = { instanceId: 'one', address: '10.0.0.1', port: 80 };
const two = { instanceId: 'two', address: '10.0.0.2', port: 80 };
const web = (...backends: (typeof one)[]) => vip('tcp', '100.64.0.1', 80, backends);

t.test('decide adds, changes and removes, and says which backends go', async (t) => {
  t.same(decide(table(), table(web(one))), [{ type: 'add', service: web(one) }]);
  t.same(decide(table(web(one)), table()), [{ type: 'remove', service: web(one) }]);
  t.same(decide(table(web(one)), table(web(two))), [
    { type: 'change', service: web(two), before: web(one), gone: [one] },
  ]);
  t.same(decide(table(web(one)), table(web(one, two))), [
    { type: 'change', service: web(one, two), before: web(one), gone: [] },
  ]);
});

t.test('decide removes before it adds', async (t) => {
  const other = vip('tcp', '100.64.0.2', 80, []);
  t.same(
    decide(table(web()), table(other)).map((change) => change.type),
    ['remove', 'add'],
  );
});

t.test('decide does nothing for equal tables', async (t) => {
  t.same(decide(table(web(one, two)), table(web(one, two))), []);
});

const targets = fc.subarray(
  [1, 2, 3, 4].map((n) => ({ instanceId: `i${n}`, address: `10.0.0.${n}`, port: 80 })),
);
const services = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom('tcp', 'udp'), fc.integer({ min: 1, max: 4 }), fc.constantFrom(80, 81), targets)
    .map(([protocol, n, port, backends]) => vip(protocol, `100.64.0.${n}`, port, backends)),
  { selector: (service) => `${service.protocol}${service.address}${service.port}` },
);
const tables = services.map((list): VipTable => table(...list));

t.test(
  'decide: applying the changes to the old table gives the new one, and nothing is left to do',
  async (t) => {
    fc.assert(
      fc.property(tables, tables, (before, after) => {
        const changes = decide(before, after);
        const reached = applied(before.services, changes);
        t.equal(decide({ services: reached, problems: [] }, after).length, 0);
        return (
          reached.size === after.services.size && changes.length <= before.services.size + after.services.size
        );
      }),
      { numRuns: 200 },
    );
  },
);

t.test('decide: a backend is gone exactly when the service had it and has it no more', async () => {
  fc.assert(
    fc.property(targets, targets, (before, after) => {
      const [change] = decide(table(web(...before)), table(web(...after)));
      const gone = change?.type === 'change' ? change.gone : [];
      return before.every((target) => gone.includes(target) !== after.includes(target));
    }),
  );
});
