import t from 'tap';
import { answerEach, type Recorded, rawClient, serveWith } from '../testing/peers.ts';

const get = (path = '/', more = '') => `GET ${path} HTTP/1.1\r\nHost: web.test\r\n${more}\r\n`;
const ok = (body = 'ok', more = '') =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

/** Answers the nth request head of a connection with the nth text. */
function answers(...texts: readonly string[]) {
  return (recorded: Recorded) => {
    const heads = recorded.text.value.split('\r\n\r\n').length - 1;
    for (; recorded.answered < heads; recorded.answered++) recorded.send(texts[recorded.answered] ?? ok());
  };
}

t.test('requests one after the other share both connections', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  const client = await rawClient(port);
  for (let n = 1; n <= 3; n++) {
    client.send(get(`/${n}`));
    await client.until('\r\n\r\nok', n);
  }
  client.socket.destroy();
  t.equal(backends[0]!.connections.value.length, 1);
});

t.test('pipelined requests are answered in their order', async (t) => {
  const { port } = await serveWith(t, [answers(ok('one'), ok('two'), ok('three'))]);
  const client = await rawClient(port);
  client.send(get('/1') + get('/2') + get('/3', 'Connection: close\r\n'));
  await client.ended.until((ended) => ended);
  t.match(client.text.value, /one[\s\S]*two[\s\S]*Connection: close[\s\S]*three$/);
  client.socket.destroy();
});

t.test('an answer without content leaves the connection ready for the next', async (t) => {
  const noContent = 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n';
  const notModified = 'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n';
  const { port, backends } = await serveWith(t, [answers(noContent, notModified, ok('end'))]);
  const client = await rawClient(port);
  client.send(get() + get() + get('/', 'Connection: close\r\n'));
  await client.ended.until((ended) => ended);
  t.match(client.text.value, /204[\s\S]*304[\s\S]*Content-Length: 99[\s\S]*end$/);
  t.equal(backends[0]!.connections.value.length, 1);
  client.socket.destroy();
});

t.test('an endpoint that sends content after HEAD does not begin the next answer with it', async (t) => {
  const { port } = await serveWith(t, [
    (recorded) => {
      const isHead = recorded.text.value.startsWith('HEAD');
      if (isHead && recorded.answered++ === 0) recorded.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
      else recorded.send(isHead ? 'stolen' : ok('end'));
    },
  ]);
  const client = await rawClient(port);
  client.send(get().replace('GET', 'HEAD'));
  await client.until('Content-Length: 6');
  client.send(get('/', 'Connection: close\r\n'));
  await client.ended.until((ended) => ended);
  t.match(client.text.value, /200 OK[\s\S]*200 OK[\s\S]*end$/);
  client.socket.destroy();
});

t.test('100-continue goes to the endpoint and its interim answer comes back', async (t) => {
  const { port } = await serveWith(t, [
    (recorded) => {
      if (recorded.answered === 0) recorded.send('HTTP/1.1 100 Continue\r\n\r\n');
      recorded.answered++;
      if (recorded.text.value.endsWith('hello')) recorded.send(ok('thanks'));
    },
  ]);
  const client = await rawClient(port);
  client.send('PUT / HTTP/1.1\r\nHost: web.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  await client.until('100 Continue\r\n\r\n');
  client.send('hello');
  await client.until('thanks');
  client.socket.destroy();
});

t.test('a request in pieces of one byte arrives whole', async (t) => {
  const { port, backends } = await serveWith(t, [
    (recorded) => recorded.text.value.endsWith('0\r\n\r\n') && recorded.send(ok()),
  ]);
  const client = await rawClient(port);
  const text =
    'POST /a HTTP/1.1\r\nHost: web.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  for (const byte of text) {
    client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.until('ok');
  t.match(backends[0]!.text, /^POST \/a HTTP\/1\.1\r\n[\s\S]*\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
  client.socket.destroy();
});

t.test('an answer in pieces of one byte arrives whole', async (t) => {
  const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n';
  const { port } = await serveWith(t, [
    async (recorded) => {
      for (const byte of text) {
        recorded.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  ]);
  const client = await rawClient(port);
  client.send(get());
  t.match(await client.until('X-Sum: 1\r\n\r\n'), /\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  client.socket.destroy();
});

t.test('an answer whose end is the end of the connection is passed on that way', async (t) => {
  const { port } = await serveWith(t, [
    (recorded) => {
      recorded.send('HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\nall of it');
      recorded.socket.end();
    },
  ]);
  const client = await rawClient(port);
  client.send(get());
  await client.ended.until((ended) => ended);
  t.match(client.text.value, /^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n\r\nall of it$/);
  client.socket.destroy();
});

t.test('a client of HTTP/1.0 gets the payload of a chunked answer', async (t) => {
  const { port } = await serveWith(t, [
    answers('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
  ]);
  const client = await rawClient(port);
  client.send('GET / HTTP/1.0\r\nHost: web.test\r\nConnection: keep-alive\r\n\r\n');
  await client.ended.until((ended) => ended);
  t.match(client.text.value, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhello$/);
  t.notMatch(client.text.value, /chunked/);
  client.socket.destroy();
});

t.test('a client that has sent its last byte still gets its answer', async (t) => {
  const { port } = await serveWith(t, [answerEach()]);
  const client = await rawClient(port);
  client.send(get());
  client.socket.end();
  await client.closed.until((closed) => closed);
  t.match(client.text.value, /\r\n\r\nok$/);
});

t.test('an answer that breaks off breaks off for the client too', async (t) => {
  const { port } = await serveWith(t, [
    (recorded) => {
      recorded.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
      recorded.socket.end();
    },
  ]);
  const client = await rawClient(port);
  let reset: string | undefined;
  client.socket.on('error', (error: NodeJS.ErrnoException) => {
    reset = error.code;
  });
  client.send(get());
  await client.closed.until((closed) => closed);
  t.equal(reset, 'ECONNRESET');
});

t.test('a client that goes away takes its request with it', async (t) => {
  const { port, backends, engine } = await serveWith(t, [() => {}]);
  const client = await rawClient(port);
  client.send(get());
  const [connection] = await backends[0]!.connections.until((all) => all.length === 1);
  await connection!.until('\r\n\r\n');
  t.same(await engine.inFlight(), new Map([['web-0', 1]]));
  client.socket.resetAndDestroy();
  await connection!.ended.until((ended) => ended);
  t.same(await engine.inFlight(), new Map());
});

const nonsense = [
  'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 20 OK\r\n\r\n',
  'SSH-2.0-OpenSSH_9.2\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
  `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`,
];
for (const text of nonsense) {
  t.test(`an endpoint that answers ${JSON.stringify(text.slice(0, 60))} is a bad gateway`, async (t) => {
    const { port } = await serveWith(t, [(recorded) => recorded.send(text)]);
    const client = await rawClient(port);
    client.send(get());
    t.match(await client.until('Request id: '), /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    client.socket.destroy();
  });
}

t.test('bytes after an answer are never given to the next request', async (t) => {
  const { port } = await serveWith(t, [
    answers(`${ok('first')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`),
  ]);
  const client = await rawClient(port);
  client.send(get());
  await client.until('first');
  client.send(get());
  await client.until('HTTP/1.1', 2);
  t.notMatch(client.text.value, /evil/);
  client.socket.destroy();
});
