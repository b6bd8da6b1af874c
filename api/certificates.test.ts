import t, { type Test } from 'tap';
import { CertificateMaker } from './testing/certificates.ts';
import { startServer } from './testing/server.ts';

const dayMs = 86_400_000;

/** What is made in a test is valid from the next second on. */
async function setUp(t: Test, afterDays = 0) {
  const server = await startServer(t, { now: Date.now() + 60_000 + afterDays * dayMs });
  return { ...server, maker: new CertificateMaker(t.testdir({})) };
}

t.test('a certificate is added, shown without its key, replaced and removed', async (t) => {
  const { api, maker, database } = await setUp(t);
  const root = maker.make('Root', { ca: true });
  const { key, cert } = maker.make('shop', { by: root, hosts: ['shop.test', '*.Shop.test'] });
  const body = { name: 'shop', certificate: cert + root.cert, key };
  const added = await api.call('POST', '/v1/certificates', { body });
  t.equal(added.status, 201, added.text);
  t.match(added.body, { name: 'shop', hosts: ['shop.test', '*.shop.test'], keyType: 'ec prime256v1' });
  t.equal(
    (await api.call('POST', '/v1/certificates', { body })).status,
    201,
    'the same again changes nothing',
  );
  const other = { ...body, ...withKey(maker.make('shop', { hosts: ['shop.test'] })) };
  t.equal((await api.call('POST', '/v1/certificates', { body: other })).status, 409);
  t.equal((await api.call('PUT', '/v1/certificates/shop', { body: other })).status, 200);
  for (const path of ['/v1/certificates', '/v1/certificates/shop', '/v1/directory', '/metrics/prometheus'])
    t.notMatch((await api.call('GET', path)).text, 'PRIVATE', path);
  t.match((await api.call('GET', '/metrics/prometheus')).text, /not_after_seconds\{name="shop"\} \d{10}\n/);
  t.match(database.snapshot.table('certificates').get('shop')?.key, /PRIVATE/);
  t.equal((await api.call('DELETE', '/v1/certificates/shop')).status, 204);
  t.equal((await api.call('GET', '/v1/certificates/shop')).status, 404);
  t.match((await api.call('GET', '/metrics/prometheus')).text, /not_after_seconds\{name="shop"\} 0\n/);
});

t.test('one file may hold chain and key', async (t) => {
  const { api, maker } = await setUp(t);
  const { key, cert } = maker.make('a', { hosts: ['a.test'] });
  t.equal(
    (await api.call('POST', '/v1/certificates', { body: { name: 'a', certificate: key + cert } })).status,
    201,
  );
});

t.test('there is one default', async (t) => {
  const { api, maker } = await setUp(t);
  for (const name of ['a', 'b']) {
    const pair = withKey(maker.make(name, { hosts: [`${name}.test`] }));
    await api.must('POST', '/v1/certificates', { name, ...pair, default: true });
  }
  t.match(await api.must('GET', '/v1/certificates'), {
    certificates: [
      { name: 'a', default: false },
      { name: 'b', default: true },
    ],
  });
});

t.test('a certificate that ends soon has a warning', async (t) => {
  const { api, maker } = await setUp(t);
  for (const days of [23, 20]) {
    const pair = withKey(maker.make('a', { hosts: ['a.test'], days }));
    await api.must('POST', '/v1/certificates', { name: `a${days}`, ...pair });
  }
  t.notMatch(await api.must('GET', '/v1/certificates/a23'), { warning: String });
  t.match(await api.must('GET', '/v1/certificates/a20'), { warning: /^expires on /, daysLeft: 19 });
});

t.test('a certificate that has expired is refused', async (t) => {
  const { api, maker } = await setUp(t, 91);
  const body = { name: 'a', ...withKey(maker.make('a', { hosts: ['a.test'] })) };
  const answer = await api.call('POST', '/v1/certificates', { body });
  t.match(answer.body, { details: [{ path: '/certificate/0', errors: [/^expired on \d{4}-/] }] });
});

t.test('what is wrong with a certificate is said with its place and what was expected', async (t) => {
  const { api, maker } = await setUp(t);
  const root = maker.make('Root', { ca: true });
  const other = maker.make('Other', { ca: true });
  const leaf = maker.make('a', { by: root, hosts: ['a.test'] });
  const good = { name: 'a', certificate: leaf.cert + root.cert, key: leaf.key };
  const refused = async (what: string, change: object, details: readonly object[]) => {
    const answer = await api.call('POST', '/v1/certificates', { body: { ...good, ...change } });
    t.equal(answer.status, 422, what);
    t.match(answer.body, { message: 'Object is not valid', details }, what);
    t.notMatch(answer.text, 'PRIVATE KEY-----\\n', what);
  };
  const fault = (path: string, error: RegExp) => ({ path, errors: [error] });
  await refused('all at once', { name: 'A B', certificate: '', key: 7, default: 1, more: 1 }, [
    fault('/more', /not known/),
    fault('/name', /must be 1 to 63/),
    fault('/default', /true or false/),
    fault('/certificate', /must be PEM/),
    fault('/key', /must be PEM/),
  ]);
  await refused('key of another', { key: other.key }, [fault('/key', /does not belong to .*CN=a/)]);
  await refused('chain upside down', { certificate: root.cert + leaf.cert }, [
    fault('/key', /belongs to certificate 1 of the chain: put that one first/),
    fault('/certificate/1', /is "CN=a", but the one before it was issued by "CN=Root"/),
    fault('/certificate/0', /names no host/),
  ]);
  await refused('chain of another', { certificate: leaf.cert + other.cert }, [
    fault('/certificate/1', /is "CN=Other".* issued by "CN=Root"/),
  ]);
  const weak = maker.make('w', { hosts: ['w.test'], newKey: 'rsa:1024' });
  await refused('weak', withKey(weak), [fault('/certificate/0', /1024 bits: expected 2048/)]);
  await refused('no names', withKey(maker.make('n')), [fault('/certificate/0', /names no host/)]);
  t.same(await api.must('GET', '/v1/certificates'), {
    ...{ revision: 1, edges: 0, inForce: 0 },
    ...{ certificates: [], pending: [] },
  });
});

function withKey({ key, cert }: { readonly key: string; readonly cert: string }) {
  return { certificate: cert, key };
}
