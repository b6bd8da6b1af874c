import t from 'tap';
import { table, vip } from '../../backend.contract.ts';
import { decide } from '../../decide.ts';
import type { VipService } from '../../table.ts';
import { changesText, type RuleSet, removal, wholeTable } from './rules.ts';

const set: RuleSet = { table: 'weir', ranges: ['100.64.0.0/16'], bridgeReplies: false };
const target = (n: number) => ({ instanceId: `i${n}`, address: `10.0.0.${n}`, port: 8080 });
const web = (...numbers: number[]) => vip('tcp', '100.64.0.1', 80, numbers.map(target));
const none = { gained: [], lost: [] };
const step = (before: VipService[], after: VipService[], bound?: number) =>
  changesText(set, decide(table(...before), table(...after)), none, bound);

t.test('a new backend changes one rule and no element', async (t) => {
  t.same(step([web(1)], [web(1, 2)]), [
    'flush chain ip weir tcp-100.64.0.1-80\n' +
      'add rule ip weir tcp-100.64.0.1-80 meta l4proto tcp dnat ip to ' +
      'numgen random mod 2 map { 0 : 10.0.0.1 . 8080, 1 : 10.0.0.2 . 8080 }\n',
  ]);
});

t.test(
  'the first backend adds the service, the last one takes it away, and without any there is nothing',
  async (t) => {
    const appears =
      'add chain ip weir tcp-100.64.0.1-80\n' +
      'add rule ip weir tcp-100.64.0.1-80 meta l4proto tcp dnat ip to 10.0.0.1:8080\n' +
      'add element ip weir services { 100.64.0.1 . tcp . 80 : goto tcp-100.64.0.1-80 }\n';
    const disappears =
      'delete element ip weir services { 100.64.0.1 . tcp . 80 }\n' +
      'flush chain ip weir tcp-100.64.0.1-80\n' +
      'delete chain ip weir tcp-100.64.0.1-80\n';
    t.same(step([web()], [web(1)]), [appears]);
    t.same(step([], [web(1)]), [appears]);
    t.same(step([web(1)], [web()]), [disappears]);
    t.same(step([web(1)], []), [disappears]);
    t.same(step([], [web()]), []);
  },
);

t.test(
  'many changes become transactions of bounded length, none of them cut through a service',
  async (t) => {
    const services = Array.from({ length: 50 }, (_, i) => vip('udp', `100.64.1.${i}`, 53, [target(1)]));
    const transactions = step([], services, 10);
    t.equal(transactions.length, 17);
    for (const text of transactions) {
      t.ok(text.trim().split('\n').length <= 10);
      t.equal(text.match(/add chain/g)?.length, text.match(/add element/g)?.length);
    }
  },
);

t.test('an address outside the ranges is owned before it is served and until it is not', async (t) => {
  const literals = { gained: ['11.0.0.1'], lost: ['11.0.0.2'] };
  const service = vip('tcp', '11.0.0.1', 80, [target(1)]);
  const [text = ''] = changesText(set, [{ type: 'add', service }], literals);
  const lines = text.trim().split('\n');
  t.equal(lines[0], 'add element ip weir addresses { 11.0.0.1 }');
  t.equal(lines.at(-1), 'delete element ip weir addresses { 11.0.0.2 }');
});

t.test('the whole table replaces what was there, and touches no other table', async (t) => {
  const text = wholeTable(set, [web(1, 2)], ['11.0.0.1']);
  t.match(text, /^add table ip weir\ndelete table ip weir\nadd table ip weir\n/);
  for (const line of text.trim().split('\n')) t.match(line, /^(add|delete) \w+ ip weir( |$)/);
  t.equal(removal('weir'), 'add table ip weir\ndelete table ip weir\n');
});
