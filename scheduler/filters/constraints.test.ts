import t from 'tap';
import type { Constraint } from '../../core/model/constraint.ts';
import { testAgent } from '../../core/state/testing/agents.ts';
import { fieldOf, unmet } from './constraints.ts';

const agent = (name: string, rack?: string) =>
  testAgent(name, { attributes: { zone: 'z1', ...(rack === undefined ? {} : { rack }) } });

function accepts(
  [field, operator, value]: readonly [string, Constraint['operator'], string?],
  here: string | undefined,
  peers: readonly string[] = [],
  target = peers.length + 1,
): boolean {
  const constraint = { field, operator, ...(value === undefined ? {} : { value }) };
  const context = { peers: peers.map((rack, index) => agent(`p${index}`, rack)), target };
  return unmet(constraint, agent('h1', here), context) === undefined;
}

t.test('GROUP_BY without a number stacks only while no other value is seen (the 1.5 rule)', async (t) => {
  t.ok(accepts(['rack', 'GROUP_BY'], 'a', ['a']));
  t.ok(accepts(['rack', 'GROUP_BY'], 'b', ['a', 'a']));
  t.notOk(accepts(['rack', 'GROUP_BY'], 'a', ['a', 'a', 'b']));
});

t.test('GROUP_BY with the number of racks forces the spread', async (t) => {
  t.notOk(accepts(['rack', 'GROUP_BY', '3'], 'a', ['a', 'b'], 3));
  t.ok(accepts(['rack', 'GROUP_BY', '3'], 'c', ['a', 'b'], 3));
  t.ok(accepts(['rack', 'GROUP_BY', '3'], 'a', ['a', 'b', 'c'], 6));
  t.notOk(accepts(['rack', 'GROUP_BY', '2'], 'a', ['a', 'a', 'b', 'b'], 4));
});

t.test('LIKE matches the whole value, and an agent without the attribute only pleases UNLIKE', async (t) => {
  t.notOk(accepts(['rack', 'LIKE', 'node-1[0-9]'], 'node-1'));
  t.ok(accepts(['rack', 'LIKE', 'node-1[0-9]'], 'node-12'));
  t.ok(accepts(['rack', 'UNLIKE', 'node-1'], 'node-12'));
  for (const operator of ['UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'MAX_PER', 'IS'] as const)
    t.notOk(accepts(['rack', operator, '1'], undefined), operator);
  t.ok(accepts(['rack', 'UNLIKE', 'a'], undefined));
});

t.test('CLUSTER follows its value or the first instance', async (t) => {
  t.ok(accepts(['rack', 'CLUSTER'], 'a', ['a']));
  t.notOk(accepts(['rack', 'CLUSTER'], 'b', ['a']));
  t.notOk(accepts(['rack', 'CLUSTER', 'b'], 'a'));
});

t.test('UNIQUE and MAX_PER count instances by value', async (t) => {
  t.notOk(accepts(['rack', 'UNIQUE'], 'a', ['a']));
  t.ok(accepts(['rack', 'MAX_PER', '2'], 'a', ['a', 'b', 'b']));
  t.notOk(accepts(['rack', 'MAX_PER', '2'], 'b', ['a', 'b', 'b']));
});

t.test('IS compares text, and numbers to three decimals', async (t) => {
  t.ok(accepts(['rack', 'IS', 'a'], 'a'));
  t.ok(accepts(['rack', 'IS', '1.5'], '1.5004'));
  t.notOk(accepts(['rack', 'IS', '1.5'], '1.501'));
  t.notOk(accepts(['rack', 'IS', 'a'], 'b'));
});

t.test('a faulty pattern matches nothing and harms nobody', async (t) => {
  t.notOk(accepts(['rack', 'LIKE', '('], '('));
});

t.test('fields are the host name, the fault domain, or an attribute', async (t) => {
  const host = agent('h1', 'a');
  t.same(
    ['hostname', '@hostname', '@zone', 'rack', 'none'].map((field) => fieldOf(host, field)),
    ['h1', 'h1', 'z1', 'a', undefined],
  );
});

t.test('a refusal says what was asked and what the agent has', async (t) => {
  const constraint = { field: 'rack', operator: 'LIKE', value: 'b' } as const;
  const context = { peers: [], target: 1 };
  t.equal(unmet(constraint, agent('h1', 'a'), context), 'rack:LIKE:b: h1 has rack=a');
  t.equal(unmet(constraint, agent('h1'), context), 'rack:LIKE:b: h1 has no attribute rack');
});
