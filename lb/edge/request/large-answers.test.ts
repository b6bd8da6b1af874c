import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { buildTable } from '../routes/route-table.ts';
import { directory, endpoint, serveWith } from '../testing/peers.ts';

const content = randomBytes(12_000_000);
const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Reads an answer as a client that stops now and then (`slow`), or as fast as it comes. */
async function digestOfAnswer(port: number, path: string, slow: boolean): Promise<string> {
  const call = get({ port, path, headers: { host: 'web.test' }, agent: false });
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const hash = createHash('sha256');
  let read = 0;
  response.on('data', (piece: Buffer) => {
    hash.update(piece);
    read += piece.length;
    if (!slow || read < 500_000) return;
    read = 0;
    response.pause();
    setImmediate(() => setImmediate(() => response.resume()));
  });
  await once(response, 'end');
  return hash.digest('hex');
}

t.test('large answers arrive byte for byte, at slow clients and fast ones at the same time', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/length') response.setHeader('content-length', content.length);
    // In pieces of many sizes, so that reads of the edge end anywhere.
    for (let at = 0, size = 1; at < content.length; at += size, size = ((size * 7) % 300_007) + 1)
      response.write(content.subarray(at, at + size));
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const { port, engine } = await serveWith(t, []);
  await engine.apply(buildTable(directory(2, [endpoint({ port: (server.address() as AddressInfo).port })])));
  const wanted = digestOf(content);
  for (let round = 0; round < 2; round++) {
    const digests = await Promise.all(
      Array.from({ length: 8 }, (_, n) => digestOfAnswer(port, n % 2 === 0 ? '/length' : '/chunked', n < 4)),
    );
    t.same(new Set(digests), new Set([wanted]));
  }
});
