import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import t from 'tap';
import { buildTable } from '../routes/route-table.ts';
import { ask, http2Client } from '../testing/http2-peers.ts';
import { answerEach, directory, endpoint, rawClient, serveWith } from '../testing/peers.ts';

const run = promisify(execFile);

t.test('HTTP/2 on the plain port carries requests as HTTP/1.1 to the endpoint', async (t) => {
  const { backends, port } = await serveWith(t, [answerEach('hello')]);
  const session = await http2Client(t, port);
  const answer = await ask(session, { ':path': '/a?b', cookie: ['a=1', 'b=2'] });
  t.equal(answer.headers[':status'], 200);
  t.equal(`${answer.body}`, 'hello');
  t.match(backends[0]!.text, /^GET \/a\?b HTTP\/1\.1\r\nHost: web\.test\r\n/);
  t.match(backends[0]!.text, /cookie: a=1; b=2\r\n/);
  t.match(backends[0]!.text, /X-Forwarded-For: 127\.0\.0\.1\r\n/);
  t.match(backends[0]!.text, /Via: 2\.0 weir\r\n/);
});

t.test('HTTP/2 serves many streams of one connection at once', async (t) => {
  const { port } = await serveWith(t, [answerEach('one'), answerEach('two')]);
  const session = await http2Client(t, port);
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(session, {})));
  t.ok(answers.every(({ headers }) => `${headers[':status']}` === '200'));
  t.equal(new Set(answers.map(({ body }) => `${body}`)).size, 2, 'requests are balanced one by one');
});

t.test('HTTP/2 tells what the edge itself has to say', async (t) => {
  const { port } = await serveWith(t, [answerEach()]);
  const session = await http2Client(t, port);
  const unknown = await ask(session, { ':authority': 'other.test' });
  t.equal(unknown.headers[':status'], 404);
  t.match(`${unknown.body}`, /No route leads/);
  t.equal((await ask(session, { ':authority': 'other.test' }, 'content')).headers[':status'], 404);
});

t.test('HTTP/2 refuses a Host that is not the authority, and CONNECT', async (t) => {
  const { backends, port } = await serveWith(t, [answerEach()]);
  const session = await http2Client(t, port);
  t.equal((await ask(session, { host: 'evil.test' })).headers[':status'], 400);
  t.equal((await ask(session, { host: 'WEB.test' })).headers[':status'], 200);
  t.equal((await ask(session, { ':authority': 'web.test:99999' })).headers[':status'], 400);
  const connect = session.request({ ':method': 'CONNECT', ':authority': 'web.test:80' });
  const [headers] = (await once(connect, 'response')) as [Record<string, unknown>];
  t.equal(headers[':status'], 405);
  t.notMatch(backends[0]!.text, /evil|CONNECT/);
});

t.test('HTTP/2 streams content both ways, byte for byte, with lengths and without', async (t) => {
  const server = createServer((request, response) => {
    response.setHeader('x-coding', request.headers['transfer-encoding'] ?? 'length');
    request.pipe(response);
  });
  const { port, engine } = await serveWith(t, []);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  await engine.apply(buildTable(directory(2, [endpoint({ port: (server.address() as AddressInfo).port })])));
  const session = await http2Client(t, port);
  const content = Buffer.alloc(5_000_000, 'every byte counts ');
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  for (const headers of [{}, { 'content-length': content.length }]) {
    const answer = await ask(session, { ':method': 'POST', ...headers }, content);
    t.equal(digest(answer.body), digest(content));
    t.equal(answer.headers['x-coding'], 'content-length' in headers ? 'length' : 'chunked');
  }
});

t.test('HTTP/2 carries trailers both ways', async (t) => {
  const { backends, port } = await serveWith(t, [
    (recorded) => {
      if (!recorded.text.value.endsWith('0\r\nx-sum: 7\r\n\r\n')) return;
      recorded.send(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Total: 9\r\n\r\n',
      );
    },
  ]);
  const session = await http2Client(t, port);
  const stream = session.request(
    { ':method': 'POST', ':authority': 'web.test' },
    { endStream: false, waitForTrailers: true },
  );
  stream.on('wantTrailers', () =>
    stream.sendTrailers({
      'x-sum': '7',
      'x-request-id': 'mine',
      x_forwarded_for: '6.6.6.6',
      authorization: 'a',
      via: 'b',
    }),
  );
  const trailers = once(stream, 'trailers');
  stream.end('abc');
  stream.resume();
  t.equal(((await trailers) as [Record<string, unknown>])[0]['x-total'], '9');
  t.match(backends[0]!.text, /3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n$/);
});

t.test('HTTP/2 opens a WebSocket by extended CONNECT', async (t) => {
  const { backends, port } = await serveWith(t, [
    (recorded) => {
      if (recorded.answered++ === 0)
        recorded.send(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: chat\r\n\r\nhi',
        );
      else recorded.send('pong');
    },
  ]);
  const session = await http2Client(t, port);
  t.equal(session.remoteSettings.enableConnectProtocol, true);
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'http',
    ':path': '/chat',
    ':authority': 'web.test',
    'sec-websocket-version': '13',
  });
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  t.equal(headers[':status'], 200);
  t.equal(headers['sec-websocket-protocol'], 'chat');
  t.equal(headers['sec-websocket-accept'], undefined);
  t.equal(`${(await once(stream, 'data'))[0]}`, 'hi');
  stream.write('ping');
  t.equal(`${(await once(stream, 'data'))[0]}`, 'pong');
  t.match(backends[0]!.text, /^GET \/chat HTTP\/1\.1\r\n(.+\r\n)*Upgrade: websocket\r\n/);
  t.match(backends[0]!.text, /Sec-WebSocket-Key: [A-Za-z0-9+/]{22}==\r\n/);
  const [connection] = backends[0]!.connections.value;
  connection!.socket.end();
  await once(stream, 'end');
  stream.end();
  await once(stream, 'close');
});

t.test('HTTP/2 ends a connection whose streams are given up faster than any client would', async (t) => {
  const { port } = await serveWith(t, [() => {}]);
  const session = await http2Client(t, port);
  const closed = new Promise((resolve) => session.on('close', resolve));
  for (let n = 0; n < 1_000 && !session.destroyed; n++) {
    const stream = session.request({ ':authority': 'web.test' });
    stream.on('error', () => {});
    stream.close(8);
    await Promise.race([new Promise((resolve) => stream.on('close', resolve)), closed]);
  }
  await closed;
  const other = await http2Client(t, port);
  t.equal((await ask(other, { ':authority': 'other.test' })).headers[':status'], 404);
});

t.test('HTTP/2 says goodbye when the edge stops, and ends what is in flight', async (t) => {
  const { backends, engine, port } = await serveWith(t, [() => {}], { stopMs: 5_000 });
  const session = await http2Client(t, port);
  const answer = ask(session, {});
  const [connection] = await backends[0]!.connections.until((all) => all.length === 1);
  await connection!.until('\r\n\r\n');
  const goodbye = once(session, 'goaway');
  const stopped = engine.stop();
  t.equal((await goodbye)[0], 0);
  connection!.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
  t.equal(`${(await answer).body}`, 'late');
  await stopped;
});

t.test('HTTP/2 does not begin after a request of HTTP/1, nor by half a preface', async (t) => {
  const { port } = await serveWith(t, [answerEach()]);
  const client = await rawClient(port);
  client.send('PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n');
  t.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 505 /);
  const other = await rawClient(port);
  other.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
  await other.until('ok');
  other.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  t.match(await other.until('505'), /505/);
});

t.test(
  'HTTP/2 cannot tell an answer with a field twice that is allowed once; others are served on',
  async (t) => {
    const { port } = await serveWith(t, [
      (recorded) => {
        const twice = recorded.text.value.includes('/twice')
          ? 'Content-Type: a/b\r\nContent-Type: c/d\r\n'
          : '';
        recorded.send(`HTTP/1.1 200 OK\r\n${twice}Content-Length: 2\r\nConnection: close\r\n\r\nok`);
      },
    ]);
    const session = await http2Client(t, port);
    t.not((await ask(session, { ':path': '/twice' })).headers[':status'], 200);
    t.equal((await ask(session, {})).headers[':status'], 200);
  },
);

t.test('HTTP/2 works with curl and nghttp', async (t) => {
  const { port } = await serveWith(t, [answerEach('for any client')]);
  const url = `http://127.0.0.1:${port}/`;
  const curl = await run('curl', ['-sS', '--http2-prior-knowledge', '-H', 'Host: web.test', url]);
  t.equal(curl.stdout, 'for any client');
  const nghttp = await run('nghttp', ['-H', ':authority: web.test', url]);
  t.equal(nghttp.stdout, 'for any client');
});
