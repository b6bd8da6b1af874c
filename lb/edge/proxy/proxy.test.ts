import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { silentLog } from '../../../core/kit/log.ts';
import { EdgeConsumer } from '../consumer.ts';
import { listener, listenWith, ownRoute } from '../testing/listeners.ts';
import { answerEach, directory, endpoint, Recorded, RecordingBackend, rawClient } from '../testing/peers.ts';
import { DevelopmentAuthority } from '../tls/authority.ts';
import { renderProxyHeader, scanProxyHeader } from './proxy-header.ts';

const told = {
  source: { address: '203.0.113.7', port: 4711 },
  destination: { address: '198.51.100.1', port: 80 },
};
const get = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';
const accepting = { acceptProxy: ['127.0.0.0/8'] };

for (const version of ['v1', 'v2'] as const)
  t.test(`a header of ${version} says who a client of http is, however it is cut`, async (t) => {
    const wanted = listener('http', { table: 'l4', options: accepting });
    const { backends, port } = await listenWith(t, wanted, { answers: [answerEach()] });
    const text = renderProxyHeader(version, told) + get;
    for (const step of [text.length, 1, 7]) {
      const client = await rawClient(port);
      for (let at = 0; at < text.length; at += step) client.send(text.slice(at, at + step));
      t.match(await client.until('ok'), 'HTTP/1.1 200 OK');
      client.send(get);
      await client.until('HTTP/1.1 200', 2);
      client.socket.destroy();
    }
    t.equal(backends[0]!.text.split('X-Forwarded-For: 203.0.113.7\r\n').length, 7, 'all six requests');
    t.equal(backends[0]!.text.split('X-Forwarded-Port: 80\r\n').length, 7);
  });

t.test('a proxy must send a header, others are not believed', async (t) => {
  const strict = await listenWith(t, listener('http', { table: 'l4', options: accepting }), {
    answers: [answerEach()],
  });
  const without = new Recorded(connectPlain({ port: strict.port, host: '127.0.0.1' }));
  without.send(get);
  await without.closed.until((closed) => closed);
  t.equal(without.text.value, '');
  const stranger = await listenWith(
    t,
    listener('http', { table: 'l4', options: { acceptProxy: ['10.0.0.0/8'] } }),
    { answers: [answerEach()] },
  );
  const client = await rawClient(stranger.port);
  client.send(renderProxyHeader('v1', told) + get);
  t.match(await client.until('\r\n\r\n'), 'HTTP/1.1 400');
  client.socket.destroy();
});

t.test('who speaks for itself is who it is', async (t) => {
  const wanted = listener('http', { table: 'l4', options: accepting });
  const { backends, port } = await listenWith(t, wanted, { answers: [answerEach()] });
  const client = await rawClient(port);
  client.send(`PROXY UNKNOWN\r\n${get}`);
  await client.until('ok');
  t.match(backends[0]!.text, 'X-Forwarded-For: 127.0.0.1\r\n');
  client.socket.destroy();
});

t.test('lists of addresses count for whom the proxy names', async (t) => {
  const options = { deny: ['203.0.113.0/24'] };
  const { port } = await listenWith(t, listener('tcp', { options: accepting }), {
    answers: [(recorded) => recorded.send('!')],
    routes: [ownRoute('/web', { options })],
  });
  const barred = new Recorded(connectPlain({ port, host: '127.0.0.1' }));
  barred.send(`${renderProxyHeader('v2', told)}x`);
  await barred.closed.until((closed) => closed);
  t.equal(barred.text.value, '');
  const other = await rawClient(port);
  other.send('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nx');
  t.equal(await other.until('!'), '!');
  other.socket.destroy();
});

for (const version of ['v1', 'v2'] as const)
  t.test(
    `an endpoint of TCP gets a header of ${version} with the client that the first proxy named`,
    async (t) => {
      const { backends, port } = await listenWith(t, listener('tcp', { options: accepting }), {
        answers: [(recorded) => recorded.send('!')],
        routes: [ownRoute('/web', { options: { sendProxy: version } })],
      });
      const client = await rawClient(port);
      client.send(`${renderProxyHeader('v1', told)}hello`);
      await client.until('!');
      const [connection] = backends[0]!.connections.value;
      await connection!.until('hello');
      t.equal(connection!.text.value, `${renderProxyHeader(version, told)}hello`);
      client.socket.destroy();
    },
  );

t.test('connections to endpoints that get a header are of one client and one request', async (t) => {
  const { backends, port } = await listenWith(t, listener('http', { table: 'l4' }), {
    answers: [answerEach()],
    routes: [ownRoute('/web', { options: { sendProxy: 'v1' } })],
  });
  const clients = [await rawClient(port), await rawClient(port)];
  for (const [n, client] of clients.entries())
    for (const turn of [1, 2]) {
      client.send(get);
      await client.until('HTTP/1.1 200', turn);
      t.equal(backends[0]!.connections.value.length, 2 * n + turn);
    }
  for (const [n, { text }] of backends[0]!.connections.value.entries()) {
    const scan = scanProxyHeader(Buffer.from(text.value, 'latin1'));
    const { localPort } = clients[n < 2 ? 0 : 1]!.socket;
    t.match(scan, {
      kind: 'header',
      ends: { source: { address: '127.0.0.1', port: localPort }, destination: { port } },
    });
  }
  for (const client of clients) client.socket.destroy();
});

t.test('a header comes before TLS, for https as for TLS that goes on', async (t) => {
  const authority = new DevelopmentAuthority({ clock: systemClock }, { folder: t.testdir({}) });
  const certificate = (name: string) => authority.certificate(name);
  const edge = new EdgeConsumer(
    { clock: systemClock, log: silentLog, certificate },
    { httpPort: 0, httpsPort: 0, stopMs: 100, acceptProxy: ['127.0.0.1'] },
  );
  const backend = new RecordingBackend(answerEach());
  const port = await backend.start();
  await edge.start();
  t.teardown(() => edge.stop());
  t.teardown(() => backend.stop());
  await edge.apply(directory(1, [endpoint({ port })]));
  const place = edge.listening.find(({ scheme }) => scheme === 'https')!;
  for (const cut of [false, true]) {
    const raw = connectPlain({ port: place.port, host: '127.0.0.1' });
    await once(raw, 'connect');
    const header = Buffer.from(renderProxyHeader('v2', told), 'latin1');
    if (cut) for (const byte of header) raw.write(Buffer.of(byte));
    else raw.write(header);
    const socket = connectTls({ socket: raw, servername: 'web.test', rejectUnauthorized: false });
    const client = new Recorded(socket);
    await once(socket, 'secureConnect');
    client.send(get);
    await client.until('ok');
    socket.destroy();
  }
  t.equal(backend.text.split('X-Forwarded-For: 203.0.113.7\r\n').length, 3);
  const server = createTlsServer(await authority.certificate('a.test'), (socket) => socket.end('inner'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port: to } = server.address() as { port: number };
  const passing = await listenWith(t, listener('tls-passthrough', { options: accepting }), { ports: [to] });
  const raw = connectPlain({ port: passing.port, host: '127.0.0.1' });
  raw.write(renderProxyHeader('v2', told), 'latin1');
  const inner = new Recorded(connectTls({ socket: raw, servername: 'a.test', rejectUnauthorized: false }));
  t.equal(await inner.until('inner'), 'inner');
  inner.socket.destroy();
});
