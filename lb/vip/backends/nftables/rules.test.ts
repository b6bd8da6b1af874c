import fc from 'fast-check';
import t from 'tap';
import { table, vip } from '../../backend.contract.ts';
import { decide } from '../../decide.ts';
import type { VipService } from '../../table.ts';
import { chainsOf } from './elements.ts';
import { changesText, type RuleSet, removal, wholeTable } from './rules.ts';

const set: RuleSet = { family: 4, table: 'weir', ranges: ['100.64.0.0/16'], bridgeReplies: false };
const target = (n: number) => ({ instanceId: `i${n}`, address: `10.0.0.${n}`, port: 8080 });
const web = (...numbers: number[]) => vip('tcp', '100.64.0.1', 80, numbers.map(target));
const around = { chainsGained: [], literals: { gained: [], lost: [] } };
const step = (before: VipService[], after: VipService[], bound?: number) =>
  changesText(set, decide(table(...before), table(...after)), around, bound);
const lines = (transactions: readonly string[]) => transactions.join('').trim().split('\n');

t.test('another backend in place of one changes one slot', async (t) => {
  t.same(lines(step([web(1, 2)], [web(1, 3)])), [
    'delete element ip weir tcp-targets { 100.64.0.1 . 80 . 1 }',
    'add element ip weir tcp-targets { 100.64.0.1 . 80 . 1 : 10.0.0.3 . 8080 }',
  ]);
});

t.test('one more backend gets a slot, and the service leads to the larger draw', async (t) => {
  t.same(lines(step([web(1)], [web(1, 2)])), [
    'delete element ip weir services { 100.64.0.1 . tcp . 80 }',
    'add element ip weir services { 100.64.0.1 . tcp . 80 : goto tcp-of-2 }',
    'add element ip weir tcp-targets { 100.64.0.1 . 80 . 1 : 10.0.0.2 . 8080 }',
  ]);
});

t.test(
  'the first backend adds the service, the last one takes it away, and without any there is nothing',
  async (t) => {
    const appears = [
      'add element ip weir services { 100.64.0.1 . tcp . 80 : goto tcp-of-1 }',
      'add element ip weir counted { 100.64.0.1 . tcp . 80 }',
      'add element ip weir tcp-targets { 100.64.0.1 . 80 . 0 : 10.0.0.1 . 8080 }',
    ];
    const disappears = [
      'delete element ip weir services { 100.64.0.1 . tcp . 80 }',
      'delete element ip weir counted { 100.64.0.1 . tcp . 80 }',
      'delete element ip weir tcp-targets { 100.64.0.1 . 80 . 0 }',
    ];
    t.same(lines(step([web()], [web(1)])), appears);
    t.same(lines(step([], [web(1)])), appears);
    t.same(lines(step([web(1)], [web()])), disappears);
    t.same(lines(step([web(1)], [])), disappears);
    t.same(step([], [web()]), []);
  },
);

t.test('a chain draws one of n slots and falls back to the first', async (t) => {
  t.same(chainsOf([web(1, 2, 3), web(1), web()]), ['tcp-of-1', 'tcp-of-3']);
  t.same(chainsOf([web()]), []);
  const chains = lines(changesText(set, [], { ...around, chainsGained: ['tcp-of-3'] }));
  t.same(chains, [
    'add chain ip weir tcp-of-3',
    'add rule ip weir tcp-of-3 meta l4proto tcp dnat ip to ' +
      'ip daddr . tcp dport . numgen random mod 3 map @tcp-targets',
    'add rule ip weir tcp-of-3 goto tcp-of-1',
  ]);
});

t.test(
  'many changes become transactions of bounded length, none of them cut through a service',
  async (t) => {
    const services = Array.from({ length: 50 }, (_, i) => vip('udp', `100.64.1.${i}`, 53, [target(1)]));
    const transactions = step([], services, 10);
    t.equal(transactions.length, 17);
    for (const text of transactions) {
      t.ok(text.trim().split('\n').length <= 10);
      t.equal(text.match(/services/g)?.length, text.match(/udp-targets/g)?.length);
    }
  },
);

t.test('an address outside the ranges is owned before it is served and until it is not', async (t) => {
  const literals = { gained: ['11.0.0.1'], lost: ['11.0.0.2'] };
  const service = vip('tcp', '11.0.0.1', 80, [target(1)]);
  const text = lines(changesText(set, [{ type: 'add', service }], { ...around, literals }));
  t.equal(text[0], 'add element ip weir addresses { 11.0.0.1 }');
  t.equal(text.at(-1), 'delete element ip weir addresses { 11.0.0.2 }');
});

t.test('the whole table empties what was there before it fills it, and touches no other table', async (t) => {
  const all = lines([wholeTable(set, [web(1, 2)], ['11.0.0.1'])]);
  const filled = all.findIndex((line) => /^add (rule|element)/.test(line));
  t.ok(all.lastIndexOf('flush table ip weir') < filled);
  t.equal(all.filter((line) => line.startsWith('flush')).length, 8);
  t.ok(all.findLastIndex((line) => line.startsWith('flush')) < filled);
  for (const line of all) t.match(line, /^(add|flush) \w+ ip weir( |$)/);
  t.equal(removal(set), 'add table ip weir\ndelete table ip weir\n');
});

t.test('changes lead to exactly what the whole table of the new services would be', async () => {
  const subset = fc.subarray([1, 2, 3, 4, 5].map(target));
  const service = fc
    .tuple(fc.constantFrom('tcp', 'udp'), fc.constantFrom('100.64.0.1', '100.64.0.2'), subset)
    .map(([protocol, address, backends]) => vip(protocol, address, 80, backends));
  const services = fc.uniqueArray(service, { selector: (one) => one.protocol + one.address });
  fc.assert(
    fc.property(fc.array(services, { minLength: 1, maxLength: 6 }), (tables) => {
      const kernel = perform(new Map(), wholeTable(set, tables[0]!, []));
      for (const [i, after] of tables.slice(1).entries()) {
        for (const text of step(tables[i]!, after, 5)) perform(kernel, text);
      }
      const wanted = perform(new Map(), wholeTable(set, tables.at(-1)!, []));
      return JSON.stringify([...kernel].sort()) === JSON.stringify([...wanted].sort());
    }),
    { numRuns: 300 },
  );
});

/** The elements that a kernel would have; like it, refuses to add what is there and to delete what is not. */
function perform(elements: Map<string, string>, text: string): Map<string, string> {
  for (const [, verb, map, list] of text.matchAll(/^(add|delete) element ip weir (\S+) \{ (.*) \}$/gm)) {
    for (const element of list!.split(', ')) {
      const [key = '', value = ''] = element.split(' : ');
      const name = `${map} ${key}`;
      if (elements.has(name) === (verb === 'add')) throw new Error(`cannot ${verb} ${name}`);
      if (verb === 'add') elements.set(name, value);
      else elements.delete(name);
    }
  }
  return elements;
}

t.test(
  'a service chosen by who asks has a chain of its own kind, and changes it with its balance',
  async (t) => {
    const hashed = { ...web(1, 2), balance: 'source-hash' } as const;
    t.same(chainsOf([hashed, { ...web(1), balance: 'maglev' }]), [
      'tcp-of-1',
      'tcp-by-address-of-251',
      'tcp-by-flow-of-251',
    ]);
    t.match(lines(step([web(1, 2)], [hashed])), [
      'delete element ip weir services { 100.64.0.1 . tcp . 80 }',
      'add element ip weir services { 100.64.0.1 . tcp . 80 : goto tcp-by-address-of-251 }',
    ]);
    const chain = lines(changesText(set, [], { ...around, chainsGained: ['udp-by-flow-of-251'] }));
    t.match(chain[1], /jhash ip saddr \. udp sport mod 251 map @udp-targets/);
  },
);

t.test('IPv6 has the same rules in its own words', async (t) => {
  const six: RuleSet = { ...set, family: 6, ranges: ['fd01:c::/64'] };
  const text = wholeTable(six, [vip('tcp', 'fd01:c::1', 80, [{ ...target(1), address: 'fd02::1' }])], []);
  t.notMatch(text, /\bip weir|ip daddr|ipv4|icmp type/);
  t.match(text, 'add element ip6 weir tcp-targets { fd01:c::1 . 80 . 0 : fd02::1 . 8080 }');
});
