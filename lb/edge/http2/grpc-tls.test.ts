import { once } from 'node:events';
import { createSecureServer, type SecureServerOptions, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import t, { type Test } from 'tap';
import type { UpstreamTls } from '../../../core/model/route.ts';
import { buildTable } from '../routes/route-table.ts';
import { ask, http2Client } from '../testing/http2-peers.ts';
import { directory, endpoint, route, serveWith } from '../testing/peers.ts';
import { TestAuthority } from '../testing/test-authority.ts';

const call = {
  ':method': 'POST',
  ':path': '/shop.Cart/Add',
  'content-type': 'application/grpc',
  te: 'trailers',
};

async function edgeTo(t: Test, port: number, tls: UpstreamTls) {
  const edge = await serveWith(t, []);
  const routes = [{ ...route(), options: { protocol: 'h2', tls } as const }];
  await edge.engine.apply(buildTable(directory(2, [endpoint({ port })], routes)));
  return edge;
}

/** A gRPC server behind TLS that answers with what it got. */
async function grpcServer(t: Test, options: SecureServerOptions) {
  const server = createSecureServer(options);
  let sessions = 0;
  server.on('session', () => sessions++);
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.pipe(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, sessions: () => sessions };
}

t.test('gRPC over TLS: calls come through over one verified connection', async (t) => {
  const authority = new TestAuthority(t.testdir({}), 'test');
  const { port: to, sessions } = await grpcServer(t, authority.issue('cart.test', 'serverAuth'));
  const { port } = await edgeTo(t, to, { authorities: authority.certificate, serverName: 'cart.test' });
  const session = await http2Client(t, port);
  for (const text of ['apples', 'pears'.repeat(50_000)]) {
    const answer = await ask(session, call, Buffer.from(text));
    t.equal(answer.headers[':status'], 200);
    t.same(answer.body, Buffer.from(text));
    t.match(answer.trailers, { 'grpc-status': '0' });
  }
  t.equal(sessions(), 1);
});

t.test(
  'who is not the one that was named, or speaks no HTTP/2, gets nothing, and it is said why',
  async (t) => {
    const authority = new TestAuthority(t.testdir({}), 'test');
    const pair = authority.issue('other.test', 'serverAuth');
    const wrong = await grpcServer(t, pair);
    const plain = createTlsServer({ ...pair, ALPNProtocols: ['http/1.1'] }, (socket) =>
      socket.on('error', () => {}),
    );
    plain.on('tlsClientError', () => {});
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    t.teardown(() => plain.close());
    const old = createTlsServer(pair, (socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(old, 'listening');
    t.teardown(() => old.close());
    const cases = [
      [wrong.port, 'cart.test', /not for cart.test/],
      [(plain.address() as AddressInfo).port, 'other.test', /TLS/],
      [(old.address() as AddressInfo).port, 'other.test', /does not speak HTTP\/2 over TLS/],
    ] as const;
    for (const [to, serverName, says] of cases) {
      const { engine, port } = await edgeTo(t, to, { authorities: authority.certificate, serverName });
      const session = await http2Client(t, port);
      const answer = await ask(session, { ...call, 'content-type': 'text/plain' }, Buffer.from('x'));
      t.equal(answer.headers[':status'], 502);
      const links = await engine.why({ url: 'http://web.test/' });
      t.match(JSON.stringify(links), says);
    }
  },
);
