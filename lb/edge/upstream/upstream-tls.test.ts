import { once } from 'node:events';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import t, { type Test } from 'tap';
import type { Certificate } from '../../../core/model/certificate.ts';
import { applyDelta } from '../../../core/model/directory.ts';
import type { RouteOptions, UpstreamTls } from '../../../core/model/route.ts';
import { buildTable } from '../routes/route-table.ts';
import { directory, endpoint, portOfEngine, rawClient, route, testEngine } from '../testing/peers.ts';
import { TestAuthority } from '../testing/test-authority.ts';
import type { KeyAndCertificate } from '../tls/certificates.ts';

type Seen = {
  readonly servername: string | false;
  readonly subject: string | undefined;
  readonly head: string;
};

/** An HTTP server behind TLS that notes who asks. */
async function tlsBackend(t: Test, options: TlsOptions) {
  const seen: Seen[] = [];
  const server = createServer(options, (socket: TLSSocket) => {
    socket.on('error', () => {});
    socket.on('data', (head: Buffer) => {
      const { servername = false } = socket as { servername?: string | false };
      const subject = socket.getPeerCertificate()?.subject?.CN;
      seen.push({
        servername,
        subject: typeof subject === 'string' ? subject : undefined,
        head: String(head),
      });
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { seen, port: (server.address() as { port: number }).port };
}

async function edgeTo(
  t: Test,
  port: number,
  options: RouteOptions,
  certificates: readonly Certificate[] = [],
) {
  const engine = testEngine();
  await engine.start();
  const routed = directory(1, [endpoint({ port })], [{ ...route(), options }]);
  const added = { from: 1, revision: 2, certificates: { set: certificates, gone: [] } };
  await engine.apply(buildTable(applyDelta(routed, added)));
  t.teardown(() => engine.stop());
  const ask = async (times = 1) => {
    const client = await rawClient(portOfEngine(engine));
    let text = '';
    for (let n = 1; n <= times; n++) {
      client.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
      text = await client.until('HTTP/1.1', n);
    }
    client.socket.destroy();
    return text.slice(9, 12);
  };
  const why = async () => (await engine.why({ url: 'http://web.test/' })).at(-1)?.says;
  return { engine, ask, why };
}

function stored(name: string, { key, cert }: KeyAndCertificate): Certificate {
  return { name, key, chain: cert, hosts: [], notBefore: 0, notAfter: 0 };
}

function setUp(t: Test) {
  const authority = new TestAuthority(t.testdir({}), 'inner');
  const server = authority.issue('db.inner', 'serverAuth');
  return { authority, server };
}

t.test(
  'an endpoint of TLS is verified by the authority and the name of the route, and its connection is kept',
  async (t) => {
    const { authority, server } = setUp(t);
    const { seen, port } = await tlsBackend(t, server);
    const tls: UpstreamTls = { authorities: authority.certificate, serverName: 'db.inner' };
    const { ask, engine } = await edgeTo(t, port, { tls });
    t.equal(await ask(3), '200');
    t.match(seen[0], { servername: 'db.inner', head: /Host: web\.test\r\n/ });
    t.equal(seen.length, 3);
    t.match((await engine.stats()).connectFailures, 0);
  },
);

t.test('who is not what the route expects is not asked, and why says which link is broken', async (t) => {
  const { authority, server } = setUp(t);
  const { seen, port } = await tlsBackend(t, server);
  const cases: readonly (readonly [UpstreamTls, RegExp])[] = [
    [
      { authorities: authority.certificate, serverName: 'other.inner' },
      /its certificate is not for other\.inner/,
    ],
    [{ authorities: authority.certificate }, /its certificate is not for 127\.0\.0\.1/],
    [{ serverName: 'db.inner' }, /not signed by an authority that the system knows/],
  ];
  for (const [tls, expected] of cases) {
    const { ask, why } = await edgeTo(t, port, { tls });
    t.equal(await ask(), '502');
    t.match(await why(), expected);
  }
  t.same(seen, [], 'no request went there');
  t.equal(await (await edgeTo(t, port, { tls: { insecure: true } })).ask(), '200');
});

t.test('an endpoint that wants a certificate gets the one that the route names', async (t) => {
  const { authority, server } = setUp(t);
  const { seen, port } = await tlsBackend(t, { ...server, ca: authority.certificate, requestCert: true });
  const tls: UpstreamTls = {
    authorities: authority.certificate,
    serverName: 'db.inner',
    certificate: 'edge',
  };
  const without = await edgeTo(t, port, { tls });
  t.equal(await without.ask(), '502');
  const { ask } = await edgeTo(t, port, { tls }, [stored('edge', authority.issue('the edge', 'clientAuth'))]);
  t.equal(await ask(), '200');
  t.match(seen, [{ subject: 'the edge' }]);
});

t.test('checks of the edge ask over TLS too, and a PROXY header comes before it', async (t) => {
  const { server } = setUp(t);
  const { seen, port } = await tlsBackend(t, server);
  const { engine } = await edgeTo(t, port, {
    tls: { insecure: true },
    check: { path: '/up', intervalMs: 100 },
  });
  while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
  t.match(seen[0]?.head, /^GET \/up HTTP\/1\.1\r\n/);
  t.match((await engine.stats()).traffic?.endpoints, [{ sick: false }]);
  const proxied = await edgeTo(t, port, { tls: { insecure: true }, sendProxy: 'v1' });
  t.equal(await proxied.ask(), '502', 'this server expects none');
});
