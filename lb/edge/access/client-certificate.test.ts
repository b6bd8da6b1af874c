import { once } from 'node:events';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { silentLog } from '../../../core/kit/log.ts';
import type { ClientCertificate } from '../../../core/model/route.ts';
import { EdgeConsumer } from '../consumer.ts';
import { answerEach, directory, endpoint, Recorded, RecordingBackend, route } from '../testing/peers.ts';
import { TestAuthority } from '../testing/test-authority.ts';
import type { KeyAndCertificate } from '../tls/certificates.ts';

async function setUp(t: Test, option: Partial<ClientCertificate> = {}) {
  const [ours, theirs] = [
    new TestAuthority(t.testdir({ a: {}, b: {} }), 'a'),
    new TestAuthority(t.testdirName, 'b'),
  ];
  const server = ours.issue('localhost', 'serverAuth');
  const backend = new RecordingBackend(answerEach());
  const port = await backend.start();
  const edge = new EdgeConsumer(
    { clock: systemClock, log: silentLog, certificate: async () => server },
    { httpPort: 0, httpsPort: 0, stopMs: 100 },
  );
  await edge.start();
  t.teardown(async () => {
    await edge.stop();
    await backend.stop();
  });
  const clientCertificate = { authorities: ours.certificate, ...option };
  const routes = [
    { ...route({ host: 'closed.test' }), options: { clientCertificate } },
    { ...route({ host: 'other.test' }), options: { clientCertificate: { authorities: theirs.certificate } } },
    route({ host: 'open.test' }),
  ];
  await edge.apply(directory(1, [endpoint({ port })], routes));
  const https = edge.listening.find(({ scheme }) => scheme === 'https')!;
  return { ours, theirs, backend, client: (options: ClientOptions) => ask(https.port, options) };
}

type ClientOptions = {
  readonly by?: KeyAndCertificate;
  readonly sni?: string;
  readonly host?: string;
  readonly session?: Buffer;
};

const forged = 'X-Client-Subject: CN=root\r\nx_client_subject: CN=root\r\n';

async function ask(port: number, { by, sni = 'closed.test', host = sni, session }: ClientOptions) {
  const socket = connect({
    ...{ port, host: '127.0.0.1', servername: sni, rejectUnauthorized: false, ...by },
    ...(session === undefined ? {} : { session }),
  });
  // Whoever resumes keeps the ticket it has.
  const kept = session === undefined ? once(socket, 'session') : [session];
  const recorded = new Recorded(socket);
  await once(socket, 'secureConnect');
  recorded.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n${forged}\r\n`);
  const status = (await recorded.until('\r\n\r\n')).slice(9, 12);
  const [ticket] = (await kept) as [Buffer];
  const reused = socket.isSessionReused();
  socket.destroy();
  return { status, session: ticket, reused };
}

t.test(
  'a client with a certificate of the authority passes, and its subject is told; others do not',
  async (t) => {
    const { ours, theirs, backend, client } = await setUp(t);
    t.match(await client({}), { status: '403' }, 'without one');
    t.match(
      await client({ by: theirs.issue('eve', 'clientAuth') }),
      { status: '403' },
      'of another authority',
    );
    t.match(await client({ by: ours.issue('web', 'serverAuth') }), { status: '403' }, 'not for clients');
    t.equal(backend.text, '');
    t.match(await client({ by: ours.issue('ann', 'clientAuth') }), { status: '200' });
    t.match(backend.text, 'X-Client-Subject: CN=ann\r\n');
    t.notMatch(backend.text, /CN=root/);
  },
);

t.test('hosts without such a route ask nobody, and lead to no closed one', async (t) => {
  const { ours, client } = await setUp(t);
  const by = ours.issue('ann', 'clientAuth');
  t.match(await client({ sni: 'open.test' }), { status: '200' });
  t.match(await client({ by, sni: 'open.test', host: 'closed.test' }), { status: '421' });
});

t.test('a resumed session is worth what its certificate is at that host', async (t) => {
  const { ours, client } = await setUp(t);
  const by = ours.issue('ann', 'clientAuth');
  const { session } = await client({ by });
  t.match(await client({ by, session }), { status: '200', reused: true });
  t.match(await client({ by, session, sni: 'other.test' }), { status: '403' });
  const open = await client({ sni: 'open.test' });
  t.match(await client({ session: open.session }), { status: '403' });
});

t.test('where it is optional, clients without one pass and cannot claim a subject', async (t) => {
  const { backend, client } = await setUp(t, { optional: true, field: 'X-Client-Subject' });
  t.match(await client({}), { status: '200' });
  t.notMatch(backend.text, /client.subject/i);
});
