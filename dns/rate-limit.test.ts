import t from 'tap';
import { networkOf, RateLimit } from './rate-limit.ts';

const limits = { amplification: 2, quietBytes: 1_000 };

t.test('a flood from one network gets at most twice what it sends', async (t) => {
  const limit = new RateLimit(limits, 7);
  let [came, left] = [0, 0];
  for (let query = 0; query < 10_000; query++) {
    came += 50;
    left += limit.allows(networkOf('192.0.2.1'), 50, 500, query / 10) ? 500 : 50;
  }
  t.ok(left <= 2 * came, `${left} of ${came}`);
});

t.test('who asks little is never limited, whatever the answers', async (t) => {
  const limit = new RateLimit(limits, 7);
  for (let second = 0; second < 100; second++) {
    t.ok(limit.allows(1, 50, 900, second * 1_000));
  }
});

t.test('small answers are never limited', async (t) => {
  const limit = new RateLimit(limits, 7);
  for (let query = 0; query < 100_000; query++) {
    if (!limit.allows(1, 50, 99, 0)) t.fail('limited');
  }
  t.pass('all allowed');
});

t.test('a flood does not limit another network', async (t) => {
  const limit = new RateLimit(limits, 7);
  const [flood, other] = [networkOf('192.0.2.1'), networkOf('198.51.100.1')];
  for (let query = 0; query < 1_000; query++) limit.allows(flood, 50, 900, 0);
  t.notOk(limit.allows(flood, 50, 900, 1));
  t.ok(limit.allows(other, 50, 900, 1));
});

t.test('a network is a /24, for IPv6 a /56', async (t) => {
  t.equal(networkOf('192.0.2.1'), networkOf('192.0.2.255'));
  t.not(networkOf('192.0.2.1'), networkOf('192.0.3.1'));
  t.equal(networkOf('2001:db8:0:1::1'), networkOf('2001:db8:0:ff::2'));
  t.not(networkOf('2001:db8:0:100::1'), networkOf('2001:db8::1'));
});
