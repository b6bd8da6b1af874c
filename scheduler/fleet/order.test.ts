import fc from 'fast-check';
import t from 'tap';
import { testAgent } from '../../core/state/testing/agents.ts';
import { testApp } from '../../core/state/testing/apps.ts';
import { AgentView } from '../agent-view.ts';
import { isBefore, Order } from './order.ts';
import { Walk } from './walk.ts';

t.test('an order of many agents stays sorted and complete while agents fill up and leave', async (t) => {
  const act = fc.tuple(fc.nat({ max: 599 }), fc.constantFrom('fill', 'leave'));
  fc.assert(
    fc.property(fc.array(act, { maxLength: 300, size: 'max' }), (acts) => {
      const orders = [new Order(), new Order()];
      const all = Array.from({ length: 600 }, (_, n) => new AgentView(testAgent(`h${n}`)));
      const inside = new Set(all);
      for (const [n, view] of all.entries()) orders[n % 2]!.add(view);
      for (const [n, what] of acts) {
        const view = all[n]!;
        orders[n % 2]!.remove(view);
        inside.delete(view);
        if (what === 'leave') continue;
        view.occupy(testApp('/a', { cpus: 0.1 * (n % 7) }), { hostPorts: [] });
        orders[n % 2]!.add(view);
        inside.add(view);
      }
      const expected = [...inside].sort((a, b) => (isBefore(a, b) ? -1 : 1));
      const walk = new Walk(orders);
      for (const view of expected) if (walk.next() !== view) return false;
      return walk.next() === undefined && orders[0]!.size + orders[1]!.size === inside.size;
    }),
    { numRuns: 30 },
  );
  t.end();
});
