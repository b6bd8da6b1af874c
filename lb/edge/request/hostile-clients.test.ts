import t from 'tap';
import { answerEach, type Recorded, rawClient, serveWith } from '../testing/peers.ts';

const get = (path: string, host = 'web.test') => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

/** Answers each request with its number, so that one can see which answer is whose. Requests must come whole, one at a time. */
function echoNumber(recorded: Recorded): void {
  if (recorded.answered++ > 0) return;
  const answer = (text: string) => {
    const number = /^GET \/n(\d+) /.exec(text)?.[1] ?? 'none';
    recorded.send(`HTTP/1.1 200 OK\r\nContent-Length: ${number.length + 2}\r\n\r\n<${number}>`);
  };
  recorded.socket.removeAllListeners('data').on('data', (bytes: Buffer) => answer(bytes.toString('latin1')));
  answer(recorded.text.value);
}

/** All that a client reads to the end of its connection, which it asks for itself. */
async function readToEnd({ socket }: Recorded): Promise<string> {
  const pieces: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.removeAllListeners('data').on('data', (bytes: Buffer) => pieces.push(bytes));
  socket.on('end', resolve).on('close', resolve);
  socket.end();
  socket.resume();
  await promise;
  socket.destroy();
  return Buffer.concat(pieces).toString('latin1');
}

/** Asks on and on without reading, until nothing more is taken for a while; gives how many requests were taken. */
async function askWithoutReading(client: Recorded, request: string, most: number): Promise<number> {
  client.socket.pause();
  let asked = 0;
  while (asked < most && client.socket.writableLength < 1_000_000) {
    client.socket.write(request.repeat(100));
    asked += 100;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return asked;
}

t.test('ten thousand requests sent at once are answered in their order', async (t) => {
  const { port } = await serveWith(t, [echoNumber]);
  const client = await rawClient(port);
  const numbers = Array.from({ length: 10_000 }, (_, n) => `${n}`);
  client.send(numbers.map((number) => get(`/n${number}`)).join(''));
  const text = await readToEnd(client);
  t.same(text.match(/(?<=<)\d+(?=>)/g), numbers);
});

t.test('a client that reads no answer is asked for no further request', async (t) => {
  const most = 400_000;
  for (const [name, host, size] of [
    ['of a service', 'web.test', 40_000],
    ['of the edge itself', 'nowhere.test', 0],
  ] as const) {
    t.test(`answers ${name}`, async (t) => {
      const { port, backends } = await serveWith(t, [answerEach('x'.repeat(size))]);
      const client = await rawClient(port);
      const asked = await askWithoutReading(client, get('/', host), most);
      t.ok(asked < most, `it stopped taking requests after ${asked}`);
      t.ok(backends[0]!.text.split('GET /').length < 2_000, 'so did the service');
      const other = await rawClient(port);
      other.send(get('/'));
      t.match(await other.until('\r\n\r\n'), /^HTTP\/1\.1 200 /, 'others are served');
      other.socket.destroy();
      client.socket.destroy();
    });
  }
});

t.test('a client that reads late gets every answer, also after it has sent its last byte', async (t) => {
  const { port } = await serveWith(t, [echoNumber]);
  const client = await rawClient(port);
  client.socket.pause();
  const count = 20_000;
  const hosts = ['web.test', 'nowhere.test'];
  client.send(Array.from({ length: count }, (_, n) => get(`/n${n}`, hosts[n % 2])).join(''));
  const text = await readToEnd(client);
  t.equal(text.split('HTTP/1.1 200 OK').length - 1, count / 2);
  t.equal(text.split('HTTP/1.1 404 ').length - 1, count / 2);
});

t.test('what follows an upgrade is no part of it before the service agrees (CVE-2026-2833)', async (t) => {
  const { port, backends } = await serveWith(t, [
    (recorded) => {
      const heads = recorded.text.value.split('\r\n\r\n').length - 1;
      if (recorded.answered === 0 && heads === 1) {
        recorded.answered = 1;
        recorded.send('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno');
      } else if (recorded.answered === 1 && heads === 2) {
        recorded.answered = 2;
        recorded.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes');
      }
    },
  ]);
  const client = await rawClient(port);
  client.send(
    `GET / HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /admin HTTP/1.1\r\nHost: nowhere.test\r\n\r\n${get('/second')}`,
  );
  t.match(
    await client.until('yes'),
    /^HTTP\/1\.1 426 [\s\S]*no(?=HTTP)HTTP\/1\.1 404 [\s\S]*HTTP\/1\.1 200 /,
  );
  t.notMatch(backends[0]!.text, '/admin');
  client.socket.destroy();
});

t.test('a head that is too much is refused before it is whole', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  const cases = {
    'a field of 64 KiB': `X: ${'y'.repeat(65_536)}`,
    'ten thousand fields': 'X: y\r\n'.repeat(10_000),
    'ten thousand fields without names': ': y\r\n'.repeat(10_000),
  };
  for (const [name, fields] of Object.entries(cases)) {
    const client = await rawClient(port);
    client.send(`GET / HTTP/1.1\r\nHost: web.test\r\n${fields}`);
    await client.over();
    t.match(client.text.value, /^HTTP\/1\.1 4(31|00) /, name);
    client.socket.destroy();
  }
  t.equal(backends[0]!.text, '');
});

t.test('a client that ends in the middle of its content leaves its endpoint', async (t) => {
  const { port, backends } = await serveWith(t, [() => {}]);
  const client = await rawClient(port);
  client.send('POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 10\r\n\r\nhello');
  await backends[0]!.connections.until((all) => all.length === 1);
  const [connection] = backends[0]!.connections.value;
  await connection!.until('hello');
  client.socket.end();
  await connection!.over();
  await client.over();
  t.equal(client.text.value, '');
});

t.test(
  'an endpoint that answers before the content has come is believed, and its connection not used again',
  async (t) => {
    const { port, backends } = await serveWith(t, [
      (recorded) => {
        if (recorded.answered++ === 0) recorded.send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
      },
    ]);
    const client = await rawClient(port);
    client.send(`POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 100\r\n\r\n`);
    t.match(await client.until('no'), /^HTTP\/1\.1 413 [\s\S]*Connection: close\r\n/);
    client.send(`${'x'.repeat(100)}${get('/smuggled')}`);
    await client.over();
    await backends[0]!.connections.value[0]!.over();
    t.notMatch(backends[0]!.text, '/smuggled');
    client.socket.destroy();
  },
);
