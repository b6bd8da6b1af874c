import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { BuiltinEngine } from '../../engines/builtin.ts';
import { buildTable } from '../routes/route-table.ts';
import { answerEach, directory, endpoint, RecordingBackend } from '../testing/peers.ts';
import { DevelopmentAuthority } from '../tls/authority.ts';
import { CertificateCache } from '../tls/certificates.ts';

const run = promisify(execFile);

t.test('HTTP/2 is agreed on over TLS, and HTTP/1.1 with whoever knows no other', async (t) => {
  const authority = new DevelopmentAuthority({ clock: systemClock }, { folder: t.testdir({}) });
  const certificates = new CertificateCache((name) => authority.certificate(name), {
    isServed: () => true,
    asksClients: () => false,
  });
  const dependencies = { clock: systemClock, chance: Math.random, requestId: () => 'id', certificates };
  const engine = new BuiltinEngine(dependencies, { httpPort: undefined, httpsPort: 0, stopMs: 100 });
  const backend = new RecordingBackend(answerEach('over TLS'));
  const port = await backend.start();
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await backend.stop();
  });
  await engine.apply(buildTable(directory(1, [endpoint({ port })])));
  const [listening] = engine.listening;
  const target = [
    '--connect-to',
    `web.test:443:127.0.0.1:${listening!.port}`,
    '-sSk',
    '-w',
    ' %{http_version}',
    'https://web.test/',
  ];
  t.equal((await run('curl', target)).stdout, 'over TLS 2');
  t.equal((await run('curl', ['--http1.1', ...target])).stdout, 'over TLS 1.1');
  t.match(backend.text, /X-Forwarded-Proto: https\r\n/);
});
