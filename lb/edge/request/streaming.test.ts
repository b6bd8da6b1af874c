import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { buildTable } from '../routes/route-table.ts';
import { directory, endpoint, portOfEngine, rawClient, serveWith, testEngine } from '../testing/peers.ts';

const megabyte = 1_048_576;

/** An engine before a server that handles sockets itself. */
async function serveSocket(t: Test, onSocket: (socket: Socket) => void) {
  const server = createServer(onSocket).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const engine = testEngine();
  await engine.start();
  await engine.apply(buildTable(directory(1, [endpoint({ port })])));
  t.teardown(async () => {
    await engine.stop();
    server.close();
  });
  return portOfEngine(engine);
}

function pattern(bytes: number): Buffer {
  const data = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i += 4) data.writeUInt32LE((i * 2_654_435_761) >>> 0, i);
  return data;
}

const digest = (data: Buffer | string) => createHash('sha1').update(data).digest('hex');

t.test('a large request arrives unchanged at an endpoint that reads slowly', async (t) => {
  const data = pattern(8 * megabyte);
  const port = await serveSocket(t, (socket) => {
    const hash = createHash('sha1');
    let head = '';
    let left = data.length;
    socket.on('data', (chunk: Buffer) => {
      let body: Buffer = chunk;
      if (!head.includes('\r\n\r\n')) {
        const text = head + chunk.toString('latin1');
        const end = text.indexOf('\r\n\r\n');
        body = end === -1 ? Buffer.alloc(0) : chunk.subarray(end + 4 - head.length);
        head = text.slice(0, end + 4);
      }
      hash.update(body);
      left -= body.length;
      socket.pause();
      setImmediate(() => socket.resume());
      if (left === 0) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n${hash.digest('hex')}`);
    });
  });
  const client = await rawClient(port);
  client.send(
    `POST / HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\nContent-Length: ${data.length}\r\n\r\n`,
  );
  client.socket.write(data);
  await client.ended.until((ended) => ended);
  t.equal(client.text.value.slice(-40), digest(data));
  client.socket.destroy();
});

t.test('a large answer waits in the endpoint, not in the edge, while the client does not read', async (t) => {
  const data = pattern(64 * megabyte);
  let sent: Socket | undefined;
  const port = await serveSocket(t, (socket) => {
    sent = socket;
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${data.length}\r\n\r\n`);
      for (let at = 0; at < data.length; at += 65_536) socket.write(data.subarray(at, at + 65_536));
    });
  });
  const client = await rawClient(port);
  const hash = createHash('sha1');
  let received = 0;
  client.socket.removeAllListeners('data');
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
  const stalledAt = await quiet(() => (sent?.bytesWritten ?? 0) - (sent?.writableLength ?? 0));
  t.ok(stalledAt > 0 && stalledAt < 24 * megabyte, `stalled after ${stalledAt} bytes`);
  const done = Promise.withResolvers<void>();
  let head = -1;
  client.socket.on('data', (chunk: Buffer) => {
    let body: Buffer = chunk;
    if (head === -1) {
      head = chunk.indexOf('\r\n\r\n') + 4;
      body = chunk.subarray(head);
    }
    hash.update(body);
    received += body.length;
    if (received === data.length) done.resolve();
  });
  client.socket.resume();
  await done.promise;
  t.equal(hash.digest('hex'), digest(data));
  client.socket.destroy();
});

/** Resolves with a number once it is above zero and has not changed over many turns of the event loop. */
async function quiet(measure: () => number): Promise<number> {
  for (let last = measure(), same = 0; ; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = measure();
    same = now === last && now > 0 ? same + 1 : 0;
    last = now;
    if (same === 2_000) return now;
  }
}

t.test('an answer begins to arrive while the request is still being sent', async (t) => {
  const { port } = await serveWith(t, [
    (recorded) => {
      if (recorded.answered++ === 0)
        recorded.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n');
      if (recorded.text.value.endsWith('0\r\n\r\n')) recorded.send('4\r\nlate\r\n0\r\n\r\n');
    },
  ]);
  const client = await rawClient(port);
  client.send('POST / HTTP/1.1\r\nHost: web.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  await client.until('early');
  client.send('0\r\n\r\n');
  await client.until('late\r\n0\r\n\r\n');
  client.socket.destroy();
});

t.test('a client whose request is refused half way still gets the answer', async (t) => {
  const { port } = await serveWith(t, [
    (recorded) => {
      if (recorded.answered++ === 0)
        recorded.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
    },
  ]);
  const client = await rawClient(port);
  client.send(`POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: ${megabyte}\r\n\r\n`);
  client.socket.write(Buffer.alloc(megabyte / 2));
  await client.ended.until((ended) => ended);
  t.match(client.text.value, /^HTTP\/1\.1 413 [\s\S]*Connection: close\r\n\r\nbig$/);
  client.socket.destroy();
});
