import t from 'tap';
import type { CertificateOrder, Issuance } from '../../core/model/issuance.ts';
import { nextFor, pauseAfter } from './decide.ts';
import { AuthorityRefused, AuthorityUnreachable } from './failures.ts';

const issuance: Issuance = {
  ...{ name: 'shop', hosts: ['shop.test'], challenge: 'http-01', authority: 'default' },
  ...{ preflight: true, requestedAt: 1_000 },
};
const certificate = {
  ...{ name: 'shop', chain: '', key: '', hosts: ['shop.test'], notBefore: 0, notAfter: 90_000 },
};
const issued: CertificateOrder = { name: 'shop', failures: 0, issuedAt: 1_000 };

t.test('a certificate is renewed when a third of its life is left', async (t) => {
  const known = { issuance, order: issued, certificate };
  t.same(nextFor(known, 59_999), { kind: 'rest', until: 60_000, why: 'current' });
  t.same(nextFor(known, 60_000), { kind: 'work', why: 'renewal' });
});

t.test('a certificate is renewed when its authority wants it, but not after its end', async (t) => {
  const until = (renewAt: number) => nextFor({ issuance, order: { ...issued, renewAt }, certificate }, 5_000);
  t.match(until(40_000), { until: 40_000 });
  t.match(until(99_000), { until: 90_000 });
});

t.test('what was never issued, or for other hosts, or is asked for again, is work', async (t) => {
  t.match(nextFor({ issuance, order: undefined, certificate: undefined }, 1_000), { why: 'first' });
  const more = { ...issuance, hosts: ['shop.test', 'b.test'] };
  t.match(nextFor({ issuance: more, order: issued, certificate }, 2_000), { why: 'hosts' });
  const again = { ...issuance, requestedAt: 1_001 };
  t.match(nextFor({ issuance: again, order: issued, certificate }, 2_000), { why: 'asked' });
});

t.test('an order that is under way is gone on with, whoever leads', async (t) => {
  const order = { ...issued, url: 'https://ca.test/order/1' };
  t.match(nextFor({ issuance, order, certificate: undefined }, 1_000), { why: 'resume' });
});

t.test('after a failure nothing is tried until it is time, or until somebody asks', async (t) => {
  const order: CertificateOrder = {
    ...{ name: 'shop', failures: 1, nextTryAt: 9_000 },
    lastFailure: { at: 2_000, code: 'X', reason: 'no' },
  };
  const known = { issuance, order, certificate: undefined };
  t.same(nextFor(known, 8_999), { kind: 'rest', until: 9_000, why: 'failed' });
  t.match(nextFor(known, 9_000), { kind: 'work' });
  t.match(nextFor({ ...known, issuance: { ...issuance, requestedAt: 3_000 } }, 3_000), { kind: 'work' });
});

t.test('pauses grow, and an authority that refused is left alone longest', async (t) => {
  const refused = new AuthorityRefused('x', { type: 'unauthorized', detail: 'no' });
  const away = new AuthorityUnreachable('x', 'no');
  t.same(
    [1, 2, 3, 50].map((n) => pauseAfter(away, n) / 1_000),
    [5, 10, 20, 600],
  );
  t.same(
    [1, 2, 50].map((n) => pauseAfter(refused, n) / 60_000),
    [15, 30, 1_440],
  );
  const limited = new AuthorityRefused(
    'x',
    { type: 'rateLimited', detail: 'no' },
    { retryAfterMs: 7_200_000 },
  );
  t.equal(pauseAfter(limited, 1), 7_200_000);
  const forgotten = new AuthorityRefused('x', { type: 'accountDoesNotExist', detail: 'no' });
  t.equal(pauseAfter(forgotten, 1), 5_000);
});
