import t from 'tap';
import type { BalancerFactory, Candidate } from './balancer.ts';

/** What every balancer must do. */
export function testBalancer(name: string, create: BalancerFactory): void {
  const candidates = (...keys: string[]): Candidate[] => keys.map((key) => ({ key, inFlight: 0 }));
  const request = (hashKey: string) => ({ hashKey });

  t.test(`${name} gives nothing when there is nothing to choose from`, async (t) => {
    t.equal(create(() => 0).choose([], request('a')), undefined);
  });

  t.test(`${name} gives only what is there, while the pool changes under it`, async (t) => {
    const balancer = create(() => 0.999_999);
    for (const keys of [['a'], ['a', 'b', 'c'], ['c'], ['d', 'e'], ['b', 'a', 'c', 'd', 'e']]) {
      const pool = candidates(...keys);
      for (let i = 0; i < 20; i++) t.ok(pool.includes(balancer.choose(pool, request(`client ${i}`))!));
    }
  });

  t.test(`${name} uses every endpoint for many clients, none for more than twice its share`, async (t) => {
    const pool = candidates('a', 'b', 'c', 'd', 'e');
    const balancer = create(Math.random);
    const counts = new Map<string, number>();
    for (let i = 0; i < 2_000; i++) {
      const chosen = balancer.choose(pool, request(`10.0.${i >> 8}.${i & 255}`))!;
      balancer.settled(chosen, 'answered');
      counts.set(chosen.key, (counts.get(chosen.key) ?? 0) + 1);
    }
    t.equal(counts.size, 5);
    for (const [key, count] of counts) t.ok(count > 200 && count < 800, `${key}: ${count}`);
  });

  t.test(`${name} takes any outcome, also of endpoints that have left, any number of times`, async (t) => {
    const balancer = create(() => 0.5);
    const [gone, kept] = candidates('gone', 'kept');
    for (const outcome of ['answered', 'refused', 'failed', 'failed'] as const)
      balancer.settled(gone!, outcome);
    t.equal(balancer.choose([kept!], request('a')), kept);
  });
}
