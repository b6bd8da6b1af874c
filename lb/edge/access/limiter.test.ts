import t from 'tap';
import { type Lease, Limiter } from './limiter.ts';

function isLease(admission: unknown): admission is Lease {
  return typeof admission === 'object';
}

t.test('a client gets its burst, then its rate, however long it was away', async (t) => {
  const limiter = new Limiter({ clientPerSecond: 2, clientBurst: 3 });
  const admitted = (now: number, tries: number) =>
    Array.from({ length: tries }, () => limiter.admit('100.64.0.1', now)).filter(isLease).length;
  t.equal(admitted(1_000, 5), 3);
  t.equal(admitted(1_500, 5), 1);
  t.equal(admitted(1_999, 5), 0);
  t.equal(admitted(900_000, 9), 3);
  t.ok(isLease(limiter.admit('100.64.0.2', 1_000)), 'others have their own');
});

t.test('a clock that goes back gives nothing away', async (t) => {
  const limiter = new Limiter({ perSecond: 1 });
  t.ok(isLease(limiter.admit('100.64.0.1', 10_000)));
  t.equal(limiter.admit('100.64.0.1', 1_000), 'route');
  t.equal(limiter.admit('100.64.0.1', 10_500), 'route');
  t.ok(isLease(limiter.admit('100.64.0.1', 11_000)));
});

t.test('who is refused for one reason has used nothing up of another', async (t) => {
  const limiter = new Limiter({ perSecond: 1, clientPerSecond: 1 });
  t.ok(isLease(limiter.admit('100.64.0.1', 0)));
  t.equal(limiter.admit('100.64.0.2', 0), 'route');
  t.equal(limiter.admit('100.64.0.1', 500), 'client');
  t.ok(isLease(limiter.admit('100.64.0.2', 1_000)), 'its own token is still there');
});

t.test('requests in flight are counted for the client and the route, and ended once', async (t) => {
  const limiter = new Limiter({ concurrent: 3, clientConcurrent: 2 });
  const leases = [0, 0].map(() => limiter.admit('::1', 0)).filter(isLease);
  t.equal(limiter.admit('0:0:0:0:ffff::9', 0), 'client', 'one /64 is one client');
  t.ok(isLease(limiter.admit('100.64.0.1', 0)));
  t.equal(limiter.admit('100.64.0.2', 0), 'route');
  leases[0]?.end();
  leases[0]?.end();
  t.ok(isLease(limiter.admit('::2', 0)));
  t.equal(limiter.admit('100.64.0.2', 0), 'route');
});

t.test('addresses without requests are forgotten, those with some are not', async (t) => {
  const limiter = new Limiter({ clientConcurrent: 1 });
  t.ok(isLease(limiter.admit('100.64.0.1', 0)));
  for (let n = 0; n < 25_000; n++) {
    const lease = limiter.admit(`100.${65 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`, 0);
    if (isLease(lease)) lease.end();
  }
  t.equal(limiter.admit('100.64.0.1', 0), 'client');
});
