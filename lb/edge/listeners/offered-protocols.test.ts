import { createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import t from 'tap';
import { scanHello } from './client-hello.ts';

/** None where it is no hello. */
function offeredProtocols(bytes: Buffer): readonly string[] | 'more' {
  const scan = scanHello(bytes);
  if (scan.kind === 'incomplete') return 'more';
  return scan.kind === 'hello' ? scan.hello.protocols : [];
}

/** What node:tls sends first. */
async function hello(protocols: readonly string[]): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createServer((socket: Socket) => socket.once('data', (bytes: Buffer) => resolve(bytes)));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connect({ host: '127.0.0.1', port, servername: 'a.test', ALPNProtocols: [...protocols] });
  client.on('error', () => {});
  const bytes = await promise;
  client.destroy();
  server.close();
  return bytes;
}

t.test('the protocols of a hello are read, however few bytes come at a time', async (t) => {
  const bytes = await hello(['acme-tls/1', 'h2']);
  for (let length = 0; length < bytes.length; length++)
    if (offeredProtocols(bytes.subarray(0, length)) !== 'more') t.fail(`decided after ${length} bytes`);
  t.same(offeredProtocols(bytes), ['acme-tls/1', 'h2']);
});

t.test('a hello over several records is put together', async (t) => {
  const bytes = await hello(['acme-tls/1']);
  const content = bytes.subarray(5);
  const record = (part: Buffer) =>
    Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part]);
  t.same(offeredProtocols(Buffer.concat([record(content.subarray(0, 2)), record(content.subarray(2))])), [
    'acme-tls/1',
  ]);
});

t.test('what is no hello offers nothing', async (t) => {
  t.same(offeredProtocols(Buffer.from('GET / HTTP/1.1\r\n\r\n')), []);
  t.same(offeredProtocols(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])), []);
});

t.test('no bytes, however damaged, make it throw', async () => {
  const good = await hello(['h2']);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      offeredProtocols(bytes);
    }),
  );
});
