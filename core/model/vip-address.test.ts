import fc from 'fast-check';
import t from 'tap';
import { allocate, firstChoice, inVipRange, phash2, vipRange, vipRangeOfCidr } from './vip-address.ts';

const vectors = [
  ['foo.bar', 1166686807, '11.138.58.156', '11.138.58.225'],
  ['baz.qux', 2489270397, '11.95.65.17', '11.95.65.165'],
  ['web.marathon', 3470861299, '11.225.36.193', '11.225.37.143'],
  ['nginx.marathon', 461322011, '11.127.55.54', '11.127.55.81'],
  ['redis.marathon', 2127184294, '11.202.66.36', '11.202.66.162'],
  ['app-sub-group.marathon', 303870363, '11.28.177.173', '11.28.177.191'],
] as const;

t.test('phash2 and the first choice give the vectors of vip.md section 4', async (t) => {
  for (const [name, hash, whole, lessOne] of vectors) {
    t.equal(phash2(name), hash, name);
    t.equal(firstChoice(name, vipRangeOfCidr('11.0.0.0/8')), whole);
    t.equal(firstChoice(name, vipRange('11.0.0.0', '11.255.255.254')), lessOne);
  }
  t.equal(firstChoice('foo.bar', vipRange('11.0.0.0', '11.0.0.254')), '11.0.0.37');
  t.equal(firstChoice('baz.qux', vipRange('11.0.0.0', '11.0.0.254')), '11.0.0.39');
});

t.test('the first choice of an IPv6 range gives the vectors of vip.md section 4', async (t) => {
  const range = vipRange('fd01:c::', 'fd01:c::ffff:ffff:ffff:ffff');
  t.equal(firstChoice('qux.ipv6', range), 'fd01:c::6d6d:9c64:fd19:f251');
  t.equal(firstChoice('web.marathon', range), 'fd01:c::cb8:74fe:906b:dee');
});

t.test('an IPv6 prefix is the range of its first to its last address', async (t) => {
  t.same(vipRangeOfCidr('fd01:c::/64'), vipRange('fd01:c::', 'fd01:c::ffff:ffff:ffff:ffff'));
});

t.test('phash2 is defined for every length around a block', async (t) => {
  const hashes = Array.from({ length: 40 }, (_, length) => phash2('x'.repeat(length)));
  t.equal(new Set(hashes).size, 40);
});

t.test('an allocation goes to the next free address and wraps after the top', async (t) => {
  const range = vipRange('11.0.0.0', '11.0.0.254');
  t.equal(allocate('foo.bar', range, new Set()), '11.0.0.37');
  t.equal(allocate('foo.bar', range, new Set(['11.0.0.37', '11.0.0.38'])), '11.0.0.39');
  const from37 = Array.from({ length: 254 - 37 + 1 }, (_, i) => `11.0.0.${37 + i}`);
  t.equal(allocate('foo.bar', range, new Set(from37)), '11.0.0.0');
});

t.test('an allocation from a full range is refused', async (t) => {
  const range = vipRange('11.0.0.0', '11.0.0.1');
  t.equal(allocate('foo.bar', range, new Set(['11.0.0.0', '11.0.0.1'])), undefined);
});

t.test('an allocation always lies in the range and is never taken', async () => {
  const range = vipRangeOfCidr('100.64.0.0/28');
  const octets = fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { maxLength: 15 });
  fc.assert(
    fc.property(fc.string(), octets, (name, numbers) => {
      const taken = new Set(numbers.map((n) => `100.64.0.${n}`));
      const address = allocate(name, range, taken);
      return address !== undefined && inVipRange(range, address) && !taken.has(address);
    }),
  );
});

t.test('a range that is empty or of two families is refused', async (t) => {
  t.throws(() => vipRange('11.0.0.2', '11.0.0.1'), { code: 'WEIR_BAD_ADDRESS' });
  t.throws(() => vipRange('11.0.0.2', 'fd01::'), { code: 'WEIR_BAD_ADDRESS' });
  t.notOk(inVipRange(vipRangeOfCidr('11.0.0.0/8'), 'nonsense'));
  t.notOk(inVipRange(vipRangeOfCidr('11.0.0.0/8'), 'fd01::1'));
});
