import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { buildTable } from '../routes/route-table.ts';
import { answerOf, ask, http2Client } from '../testing/http2-peers.ts';
import { directory, endpoint, rawClient, route, serveWith } from '../testing/peers.ts';

/** A message as gRPC frames it: not compressed, its length, its bytes. */
function framed(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

const call = {
  ':method': 'POST',
  ':path': '/shop.Cart/Add',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** An edge in front of a server that speaks nothing but HTTP/2. */
async function grpcEdge(t: Test, serve: (stream: ServerHttp2Stream, te: unknown) => void) {
  const server = createServer();
  let sessions = 0;
  server.on('session', () => sessions++);
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    serve(stream, headers.te);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { engine, port } = await serveWith(t, []);
  t.teardown(() => server.close());
  const place = endpoint({ port: (server.address() as AddressInfo).port });
  const routes = [{ ...route(), options: { protocol: 'h2c' } as const }];
  await engine.apply(buildTable(directory(2, [place], routes)));
  return { engine, port, sessions: () => sessions };
}

t.test('gRPC: a call and its answer with status come through, over one connection', async (t) => {
  const { port, sessions } = await grpcEdge(t, (stream, te) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-te': String(te) }));
    stream.pipe(stream);
  });
  const session = await http2Client(t, port);
  for (const text of ['apples', 'pears'.repeat(50_000)]) {
    const answer = await ask(session, call, framed(text));
    t.equal(answer.headers[':status'], 200);
    t.equal(answer.headers['content-type'], 'application/grpc');
    t.same(answer.body, framed(text));
    t.match(answer.trailers, { 'grpc-status': '0', 'x-te': 'trailers' });
  }
  t.equal(sessions(), 1);
});

t.test('gRPC: messages of both sides go on while the call is open', async (t) => {
  const { port } = await grpcEdge(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('data', (message: Buffer) => stream.write(message));
    stream.on('end', () => stream.end());
  });
  const session = await http2Client(t, port);
  const stream = session.request({ ':authority': 'web.test', ...call });
  const answer = answerOf(stream);
  for (const text of ['one', 'two', 'three']) {
    stream.write(framed(text));
    t.same((await once(stream, 'data'))[0], framed(text));
  }
  stream.end();
  t.match((await answer).trailers, { 'grpc-status': '0' });
});

t.test('gRPC: an answer that is nothing but a status comes through', async (t) => {
  const { port } = await grpcEdge(t, (stream) => {
    stream.respond({ ':status': 200, 'grpc-status': '5', 'grpc-message': 'none' }, { endStream: true });
  });
  const session = await http2Client(t, port);
  const { headers, body } = await ask(session, call, framed('x'));
  t.match(headers, { 'grpc-status': '5', 'grpc-message': 'none' });
  t.equal(body.length, 0);
});

t.test('gRPC: what the edge has to say is a gRPC status', async (t) => {
  const { engine, port } = await grpcEdge(t, () => {});
  const session = await http2Client(t, port);
  const unknown = await ask(session, { ...call, ':authority': 'other.test' }, framed('x'));
  t.match(unknown.headers, { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' });
  await engine.apply(buildTable(directory(3, [])));
  const nobody = await ask(session, call, framed('x'));
  t.match(nobody.headers, { 'grpc-status': '14' });
});

t.test('an endpoint that speaks HTTP/2 serves clients of HTTP/1.1, too', async (t) => {
  const { port } = await grpcEdge(t, (stream) => {
    stream.respond({ ':status': 200, 'content-length': 5 });
    stream.end('hello');
  });
  const client = await rawClient(port);
  for (const times of [1, 2]) {
    client.send('GET /a HTTP/1.1\r\nHost: web.test\r\n\r\n');
    await client.until('hello', times);
  }
  t.match(client.text.value, /^HTTP\/1\.1 200 /);
});

t.test('an endpoint that resets a stream is told as a bad gateway', async (t) => {
  const { port } = await grpcEdge(t, (stream) => stream.close(2));
  const session = await http2Client(t, port);
  t.equal((await ask(session, { ':method': 'POST' }, 'x')).headers[':status'], 502);
});
