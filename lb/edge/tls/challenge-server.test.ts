import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import type { Challenge } from '../../../core/model/issuance.ts';
import { BuiltinEngine } from '../../engines/builtin.ts';
import { buildTable } from '../routes/route-table.ts';
import { answerEach, directory, endpoint, RecordingBackend } from '../testing/peers.ts';
import { DevelopmentAuthority } from './authority.ts';
import { CertificateCache } from './certificates.ts';

async function setUp(t: Test) {
  const authority = new DevelopmentAuthority({ clock: systemClock }, { folder: t.testdir({}) });
  const certificates = new CertificateCache((name) => authority.certificate(name), {
    isServed: () => true,
    asksClients: () => false,
  });
  const { key: privateKey, cert: certificate } = await authority.certificate('proof.test');
  const ids = { key: 'shop/web.test', issuance: 'shop', host: 'web.test' };
  const proof: Challenge = { ...ids, type: 'tls-alpn-01', certificate, privateKey };
  const page: Challenge = { ...ids, key: 'shop/b', type: 'http-01', token: 'tok', content: 'tok.print' };
  const challenges = new Map([proof, page].map((one) => [one.key, one]));
  certificates.prove(challenges);
  const dependencies = { clock: systemClock, chance: Math.random, requestId: () => 'id', certificates };
  const engine = new BuiltinEngine(dependencies, { httpPort: 0, httpsPort: 0, stopMs: 100 });
  const backend = new RecordingBackend(answerEach('from the app'));
  const port = await backend.start();
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await backend.stop();
  });
  await engine.apply(buildTable({ ...directory(1, [endpoint({ port })]), challenges }));
  const at = (scheme: string) => engine.listening.find((place) => place.scheme === scheme)?.port ?? 0;
  return { http: at('http'), https: at('https'), proof: new X509Certificate(certificate).fingerprint256 };
}

function client(port: number, servername: string, protocols: readonly string[]) {
  const where = { host: '127.0.0.1', port, servername, rejectUnauthorized: false };
  return connect({ ...where, ALPNProtocols: [...protocols] });
}

t.test('who speaks acme-tls/1 is shown the proof of the host, and nothing else', async (t) => {
  const { https, proof } = await setUp(t);
  const socket = client(https, 'WEB.test', ['acme-tls/1']);
  await once(socket, 'secureConnect');
  t.equal(socket.alpnProtocol, 'acme-tls/1');
  t.equal(socket.getPeerX509Certificate()?.fingerprint256, proof);
  socket.resume();
  await once(socket, 'end');
  const other = client(https, 'other.test', ['acme-tls/1']);
  const [error] = await once(other, 'error');
  t.ok(error, 'no proof for another host');
});

t.test('all others are served as ever meanwhile, however their hello comes', async (t) => {
  const { https, proof } = await setUp(t);
  const socket = client(https, 'web.test', ['http/1.1']);
  await once(socket, 'secureConnect');
  t.not(socket.getPeerX509Certificate()?.fingerprint256, proof);
  socket.write('GET / HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  t.match(answer, /^HTTP\/1\.1 200 [\s\S]*from the app/);
});

t.test('the page of a challenge is answered before any route', async (t) => {
  const { http } = await setUp(t);
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${http}${path}`);
    return { status: response.status, text: await response.text() };
  };
  t.same(await ask('/.well-known/acme-challenge/tok'), { status: 200, text: 'tok.print' });
  t.match(
    await ask('/.well-known/acme-challenge/tok2'),
    { status: 404 },
    'no route leads there for this host',
  );
});
