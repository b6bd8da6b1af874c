import t from 'tap';
import { rangesOf } from './ranges.ts';

t.test('ranges of one family are told by their first address, without those within others', async (t) => {
  const texts = [
    '10.1.2.3/8',
    '10.0.0.0/8',
    '10.9.9.9',
    '192.0.2.7',
    'fd00::7/64',
    'fd00::1',
    '::ffff:198.51.100.0/120',
  ];
  t.same(rangesOf(texts, 4), ['10.0.0.0/8', '198.51.100.0/24', '192.0.2.7/32']);
  t.same(rangesOf(texts, 6), ['fd00::/64']);
  t.same(rangesOf(['1.2.3.4', '0.0.0.0/0'], 4), ['0.0.0.0/0']);
  t.same(rangesOf(['10.0.0.0/8'], 6), []);
});
