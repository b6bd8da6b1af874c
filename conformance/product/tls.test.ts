import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { openHost } from './host.ts';
import { dataOf, program, startProduct } from './product.ts';

t.setTimeout(420_000);

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Finding = { readonly id: string; readonly severity: string; readonly finding: string };

/** What a certificate of one's own authority cannot have: a public list of those that it took back. */
const ofPrivateAuthorities = ['cert_revocation', 'cert_ocspURL', 'cert_crlDistributionPoints'];

t.test('HTTPS of the edge as clients see it', { skip }, async (t) => {
  const host = await openHost(t, 'tls');
  const product = await startProduct(host, { flags: ['--demo'] });
  t.teardown(() => product.end('SIGINT'));
  const url = 'https://hello.localhost:8443/';
  const data = dataOf(host);
  const answers = async () => (await host.exec(['curl', '-sfk', url])).exitCode === 0;
  t.ok(await becomes(answers, 60_000), 'the demo serves HTTPS');

  await t.test('one command, and the machine trusts it', async (t) => {
    // The machine of this test has stores of its own.
    const [certs, local, home] = ['certs', 'local', 'home'].map((name) => join(host.dir, name));
    const inside = [
      `mkdir -p ${certs} ${local} ${home} && cp -a /etc/ssl/certs/. ${certs}`,
      `mount --bind ${certs} /etc/ssl/certs && mount --bind ${local} /usr/local/share/ca-certificates`,
      `export HOME=${home}`,
      `! curl -s ${url}`,
      `${program} cert trust --data ${data} >&2`,
      `curl -sS ${url}`,
      `${program} cert trust --data ${data} --remove >&2`,
      `! curl -s ${url}`,
    ].join(' && ');
    const ran = await host.exec(['unshare', '--mount', 'sh', '-c', inside], { timeoutMs: 180_000 });
    t.match(ran, { exitCode: 0, stdout: /^Hello from / }, ran.stderr);
    const printed = await host.exec([program, 'cert', 'trust', '--data', data, '--print']);
    t.equal(printed.stdout.trim(), readFileSync(join(data, 'authority', 'ca.crt'), 'utf8').trim());
  });

  await t.test('testssl.sh finds nothing of medium or above', async (t) => {
    // Those that browsers act on are the app's to say; here its route says them.
    const set = { 'X-Frame-Options': 'DENY', 'X-Content-Type-Options': 'nosniff' };
    const fields = { hsts: true, answerFields: { set } };
    await product.api.must('POST', '/v1/routes', {
      id: 'safe',
      host: 'safe.localhost',
      app: '/hello',
      ...fields,
    });
    await product.api.inForce();
    const json = join(host.dir, 'testssl.json');
    const trust = ['--add-ca', join(data, 'authority', 'ca.crt')];
    const quietly = ['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--jsonfile', json];
    const bounds = ['--connect-timeout', '10', '--openssl-timeout', '10'];
    const target = ['--ip', '127.0.0.1', 'safe.localhost:8443'];
    await host.exec(['testssl', ...quietly, ...bounds, ...trust, ...target], { timeoutMs: 380_000 });
    const findings = JSON.parse(readFileSync(json, 'utf8')) as readonly Finding[];
    t.ok(findings.length > 100, `${findings.length} findings`);
    t.ok(findings.some(({ id }) => id === 'TLS1_3'));
    const bad = findings.filter(({ severity }) => ['MEDIUM', 'HIGH', 'CRITICAL'].includes(severity));
    t.same(
      bad.filter(({ id }) => !ofPrivateAuthorities.includes(id.split(' ')[0] ?? '')),
      [],
    );
  });
});
