import t from 'tap';
import { CertificateMaker } from './testing/certificates.ts';
import { startServer } from './testing/server.ts';

const authority = {
  ...{ directory: 'https://ca.test/dir', agreeTerms: true, contact: 'ops@shop.test' },
  externalAccount: { keyId: 'kid-1', key: 'c2VjcmV0' },
};

t.test('an authority is named, shown without its key, and kept while it is needed', async (t) => {
  const { api } = await startServer(t);
  t.equal((await api.call('PUT', '/v1/authorities/default', { body: authority })).status, 201);
  const shown = await api.call('GET', '/v1/authorities');
  t.match(shown.body, {
    authorities: [{ name: 'default', contact: 'ops@shop.test', externalAccount: { keyId: 'kid-1' } }],
  });
  t.notMatch(shown.text, 'c2VjcmV0');
  await api.must('POST', '/v1/certificates/issue', { hosts: ['a.test'] });
  const kept = await api.call('DELETE', '/v1/authorities/default');
  t.match(kept, { status: 409, body: { message: /renews a\.test: remove them first/ } });
  t.equal((await api.call('DELETE', '/v1/certificates/a.test')).status, 204);
  t.equal((await api.call('DELETE', '/v1/authorities/default')).status, 204);
});

t.test('what is wrong with an authority is said all together', async (t) => {
  const { api } = await startServer(t);
  const body = { directory: 'ca', contact: 'me', resolver: 'x', externalAccount: {}, more: 1 };
  const answer = await api.call('PUT', '/v1/authorities/default', { body });
  t.equal(answer.status, 422);
  for (const path of ['directory', 'contact', 'resolver', 'externalAccount', 'more', 'agreeTerms'])
    t.match(answer.text, `"/${path}"`);
});

t.test('a certificate that is wanted is shown with how far it is', async (t) => {
  const { api, database, clock } = await startServer(t);
  await api.must('PUT', '/v1/authorities/default', authority);
  const body = { hosts: ['Shop.test.', 'b.test'], challenge: 'tls-alpn-01' };
  const wanted = await api.call('POST', '/v1/certificates/issue', { body });
  const view = {
    name: 'shop.test',
    hosts: ['shop.test', 'b.test'],
    challenge: 'tls-alpn-01',
    state: 'waiting',
  };
  t.match(wanted, { status: 201, body: view });
  t.match(await api.must('GET', '/v1/certificates'), { certificates: [], pending: [view] });
  const lastFailure = { at: clock.now(), code: 'WEIR_PREFLIGHT_FAILED', reason: 'no route' };
  const order = { name: 'shop.test', failures: 2, lastFailure, nextTryAt: clock.now() + 1_000 };
  await database.commit([{ kind: 'put', table: 'orders', key: 'shop.test', value: order }]);
  t.match(await api.must('GET', '/v1/certificates/shop.test'), {
    issuance: { state: 'failed', failures: 2, lastFailure: { reason: 'no route' }, nextTryAt: String },
  });
  const metrics = (await api.call('GET', '/metrics/prometheus')).text;
  t.match(metrics, 'weir_certificate_failures{name="shop.test"} 2\n');
  await clock.advance(10);
  const again = await api.call('POST', '/v1/certificates/issue', { body });
  t.match(again, { status: 200, body: { state: 'waiting' } }, 'asked again, it is tried at once');
});

t.test('what cannot be issued is refused with its place', async (t) => {
  const { api } = await startServer(t, { now: Date.now() + 60_000 });
  const refused = async (body: object, status: number, text: RegExp) =>
    t.match(await api.call('POST', '/v1/certificates/issue', { body }), { status, text });
  await refused({ hosts: ['a.test'] }, 422, /there is no authority 'default'/);
  await api.must('PUT', '/v1/authorities/default', authority);
  await refused({ hosts: ['*.a.test'] }, 422, /\/hosts\/0.*is a wildcard/);
  await refused({ hosts: ['192.0.2.1'] }, 422, /is an address/);
  await refused({ hosts: [] }, 422, /must be 1 to 100 host names/);
  await refused({ hosts: ['a.test'], challenge: 'dns-01' }, 422, /must be one of http-01, tls-alpn-01/);
  const { key, cert } = new CertificateMaker(t.testdir({})).make('a', { hosts: ['a.test'] });
  const given = { name: 'a.test', certificate: cert, key };
  await api.must('POST', '/v1/certificates', given);
  await refused({ hosts: ['a.test'] }, 409, /was given by an operator/);
  await api.must('POST', '/v1/certificates/issue', { hosts: ['b.test'] });
  const taken = await api.call('PUT', '/v1/certificates/b.test', { body: { certificate: cert, key } });
  t.match(taken, { status: 409, text: /renewed by an authority/ });
});
