import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { BuiltinEngine } from '../../engines/builtin.ts';
import { buildTable } from '../routes/route-table.ts';
import type { EdgeSettings } from '../settings.ts';
import { answerEach, directory, endpoint, RecordingBackend, route } from '../testing/peers.ts';
import { DevelopmentAuthority } from '../tls/authority.ts';
import { CertificateCache } from '../tls/certificates.ts';

const run = promisify(execFile);
const hosts = ['a.shop.test', 'b.shop.test', 'made.test', 'asks.test'];

/** An edge with a certificate for *.shop.test, and made ones for the others; asks.test wants to see its clients' certificates. */
async function setUp(t: Test, settings: Partial<EdgeSettings> = {}) {
  const authority = new DevelopmentAuthority({ clock: systemClock }, { folder: t.testdir({}) });
  const certificates = new CertificateCache((name) => authority.certificate(name), {
    isServed: (host) => hosts.includes(host),
    asksClients: (host) => host === 'asks.test',
  });
  const { key, cert } = await authority.certificate('*.shop.test');
  const shop = {
    name: 'shop',
    key,
    chain: cert,
    hosts: ['*.shop.test', 'asks.test'],
    notBefore: 0,
    notAfter: 9e12,
  };
  certificates.give(new Map([['shop', shop]]));
  const dependencies = { clock: systemClock, chance: Math.random, requestId: () => 'id', certificates };
  const engine = new BuiltinEngine(dependencies, {
    httpPort: undefined,
    httpsPort: 0,
    stopMs: 100,
    ...settings,
  });
  const backend = new RecordingBackend(answerEach('hello'));
  const port = await backend.start();
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await backend.stop();
  });
  const routes = hosts.map((host) => route({ id: host, host }));
  await engine.apply(buildTable(directory(1, [endpoint({ port })], routes)));
  const [listening] = engine.listening;
  const to = [
    '--connect-to',
    `::127.0.0.1:${listening!.port}`,
    '-sk',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
  ];
  return {
    port: listening!.port,
    /** The status of a request for `host` on a connection for `name`. */
    async ask(name: string, host: string, ...flags: readonly string[]) {
      const { stdout } = await run('curl', [...flags, ...to, '-H', `Host: ${host}`, `https://${name}/`]);
      return Number(stdout);
    },
    to,
  };
}

t.test(
  'a connection may ask for what its certificate is for, and 421 answers what it is not for',
  async (t) => {
    const { ask } = await setUp(t);
    for (const protocol of ['--http2', '--http1.1']) {
      t.equal(await ask('a.shop.test', 'a.shop.test', protocol), 200, protocol);
      t.equal(
        await ask('a.shop.test', 'B.shop.test:443', protocol),
        200,
        `${protocol}: covered by the wildcard`,
      );
      t.equal(await ask('a.shop.test', 'made.test', protocol), 421, protocol);
      t.equal(
        await ask('made.test', 'a.shop.test', protocol),
        421,
        `${protocol}: a certificate made on demand`,
      );
    }
  },
);

t.test('a host that asks its clients for certificates is asked for on a connection of its own', async (t) => {
  const { ask } = await setUp(t);
  t.equal(await ask('a.shop.test', 'asks.test'), 421, 'though the certificate is for it');
  t.equal(await ask('asks.test', 'asks.test'), 200);
});

t.test('a client that names no host in its hello is served whatever it asks for', async (t) => {
  const { to } = await setUp(t);
  const { stdout } = await run('curl', [...to, '-H', 'Host: made.test', 'https://127.0.0.1/']);
  t.equal(stdout, '200');
});

t.test('a trusted proxy may ask for all hosts by one name', async (t) => {
  const { ask } = await setUp(t, { trustedProxies: ['127.0.0.0/8'] });
  t.equal(await ask('a.shop.test', 'made.test'), 200);
});

t.test('a listener that wants TLS 1.3 refuses 1.2', async (t) => {
  const { ask } = await setUp(t, { minTls: '1.3' });
  t.equal(await ask('a.shop.test', 'a.shop.test', '--tlsv1.3'), 200);
  await t.rejects(ask('a.shop.test', 'a.shop.test', '--tls-max', '1.2'), { code: 35 });
  const usual = await setUp(t);
  t.equal(await usual.ask('a.shop.test', 'a.shop.test', '--tls-max', '1.2'), 200);
});
