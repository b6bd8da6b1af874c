import { X509Certificate } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { FakeClock } from '../../../core/kit/fake-clock.ts';
import { DevelopmentAuthority } from './authority.ts';

const dayMs = 86_400_000;

function setUp(t: Test) {
  const clock = new FakeClock(Date.now());
  const folder = `${t.testdir({})}/authority`;
  return { clock, folder, authority: new DevelopmentAuthority({ clock }, { folder }) };
}

t.test('the development authority signs a leaf for the name that was asked for', async (t) => {
  const { authority } = setUp(t);
  const { cert } = await authority.certificate('hello.localhost');
  const [leaf, root] = cert.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem));
  t.equal(leaf?.subjectAltName, 'DNS:hello.localhost');
  t.ok(leaf?.verify(root!.publicKey));
  t.ok(root?.ca);
  t.notOk(leaf?.ca);
});

t.test('the development authority keeps its certificates over a restart', async (t) => {
  const { authority, folder, clock } = setUp(t);
  const before = await authority.certificate('hello.localhost');
  const after = await new DevelopmentAuthority({ clock }, { folder }).certificate('hello.localhost');
  t.same(after, before);
});

t.test('the development authority gives one certificate to requests at the same time', async (t) => {
  const { authority } = setUp(t);
  const [a, b] = await Promise.all([authority.certificate('a.test'), authority.certificate('a.test')]);
  t.equal(a.cert, b.cert);
});

t.test('the development authority renews a leaf within its last 30 days', async (t) => {
  const { authority, clock } = setUp(t);
  const before = await authority.certificate('hello.localhost');
  await clock.advance(59 * dayMs);
  t.equal((await authority.certificate('hello.localhost')).cert, before.cert);
  await clock.advance(2 * dayMs);
  t.not((await authority.certificate('hello.localhost')).cert, before.cert);
});

t.test('the development authority keeps keys from other users', async (t) => {
  const { authority, folder } = setUp(t);
  await authority.certificate('*.example.org');
  for (const file of await readdir(`${folder}/leaf`))
    t.equal((await stat(`${folder}/leaf/${file}`)).mode & 0o077, 0, file);
  t.equal((await stat(`${folder}/ca.key`)).mode & 0o077, 0);
});

t.test('the development authority refuses what is no host name', async (t) => {
  const { authority } = setUp(t);
  for (const name of ['', '../ca', 'a/b', 'a b', '*', '.'])
    await t.rejects(authority.certificate(name), { code: 'WEIR_BAD_SERVER_NAME' }, JSON.stringify(name));
});

t.test('the development authority says when its folder cannot be used', async (t) => {
  const folder = t.testdir({ file: '' });
  const authority = new DevelopmentAuthority({ clock: new FakeClock() }, { folder: `${folder}/file` });
  await t.rejects(authority.certificate('a.test'), { code: 'WEIR_AUTHORITY_UNUSABLE' });
});
