import fc from 'fast-check';
import t from 'tap';
import { testBalancer } from '../balancer.contract.ts';
import { hash } from './hash.ts';
import { leastRequests } from './least-requests.ts';
import { roundRobin } from './round-robin.ts';
import { twoChoices } from './two-choices.ts';

testBalancer('round-robin', roundRobin);
testBalancer('least-requests', leastRequests);
testBalancer('two-choices', twoChoices);
testBalancer('hash', hash);

const pool = ['a', 'b', 'c'].map((key, inFlight) => ({ key, inFlight }));
const request = { hashKey: 'client' };

t.test('round-robin takes each in turn', async (t) => {
  const balancer = roundRobin(() => 0.1);
  const chosen = Array.from({ length: 6 }, () => balancer.choose(pool, request)?.key);
  t.equal(new Set(chosen.slice(0, 3)).size, 3);
  t.same(chosen.slice(0, 3), chosen.slice(3));
});

t.test('least-requests takes the one with the fewest requests in flight', async (t) => {
  const balancer = leastRequests(() => 0.7);
  for (let i = 0; i < 5; i++) t.equal(balancer.choose(pool, request)?.key, 'a');
});

t.test('two-choices never takes the busiest', async (t) => {
  const balancer = twoChoices(Math.random);
  for (let i = 0; i < 200; i++) t.not(balancer.choose(pool, request)?.key, 'c');
});

t.test('hash moves only the keys of the endpoint that left', async () => {
  const keys = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(keys, fc.ipV4(), (keys, hashKey) => {
      const all = keys.map((key) => ({ key, inFlight: 0 }));
      const [left, ...rest] = all;
      const balancer = hash(() => 0);
      const before = balancer.choose(all, { hashKey });
      return before === left || balancer.choose(rest, { hashKey }) === before;
    }),
  );
});

t.test('hash passes over an endpoint with a quarter more than its share, and comes back', async (t) => {
  const balancer = hash(() => 0);
  const loads = ['a', 'b', 'c', 'd'].map((key) => ({ key, inFlight: 0 }));
  const home = balancer.choose(loads, request)!;
  home.inFlight = 10;
  for (const other of loads) if (other !== home) other.inFlight = 1;
  const next = balancer.choose(loads, request);
  t.not(next, home);
  t.equal(balancer.choose(loads, request), next, 'its keys overflow to one place');
  home.inFlight = 1;
  t.equal(balancer.choose(loads, request), home);
});

t.test('hash keeps every endpoint within the bound, whatever the keys', async (t) => {
  const balancer = hash(() => 0);
  const loads = ['a', 'b', 'c'].map((key) => ({ key, inFlight: 0 }));
  for (let n = 0; n < 300; n++) balancer.choose(loads, request)!.inFlight++;
  for (const { key, inFlight } of loads) t.ok(inFlight <= Math.ceil(1.25 * 100), `${key}: ${inFlight}`);
});
