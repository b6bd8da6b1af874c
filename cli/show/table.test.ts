import t from 'tap';
import { facts, table } from './table.ts';
import { age, count } from './words.ts';

t.test('table aligns by what is seen, not by what is written', async (t) => {
  const rows = [
    { name: 'a', size: '\x1b[31m12\x1b[39m' },
    { name: 'longer', size: '5' },
  ];
  const text = table(
    [
      { head: 'NAME', of: ({ name }: { name: string }) => name },
      { head: 'SIZE', right: true, of: ({ size }: { size: string }) => size },
    ],
    rows,
  );
  t.equal(text, 'NAME    SIZE\na         \x1b[31m12\x1b[39m\nlonger     5');
});

t.test('facts leaves out what has no value and indents what has several lines', async (t) => {
  t.equal(
    facts([
      ['a', 'x\ny'],
      ['long', undefined],
      ['bc', '1'],
      ['d', ''],
    ]),
    '  a   x\n      y\n  bc  1',
  );
});

t.test('age uses the one unit that matters', async (t) => {
  const now = 1_000_000_000_000;
  const ages = [0, 119, 120, 7199, 7200, 172_799, 172_800].map((seconds) => age(now - seconds * 1000, now));
  t.same(ages, ['0s', '119s', '2m', '119m', '2h', '47h', '2d']);
  t.equal(age(undefined, now), '-');
  t.equal(age('no date', now), '-');
  t.equal(age(now + 5_000, now), '0s');
});

t.test('count puts the noun into the plural where it belongs', async (t) => {
  t.same([count(1, 'host'), count(0, 'host'), count(2, 'host')], ['1 host', '0 hosts', '2 hosts']);
});
