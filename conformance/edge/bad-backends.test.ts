import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import { type EdgeHost, openEdge } from './edge-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** What a client gets of each deed of `backend.ts`. */
const answered: Readonly<Record<string, number>> = {
  'dies-early': 502,
  silent: 504,
  stalls: 504,
  garbage: 502,
  'two-lengths': 502,
  'head-without-end': 502,
  'interim-without-end': 502,
};

/** An answer was begun: all that is left is to break it off, so that nobody takes it for whole. */
const brokenOff = ['dies', 'dies-chunked', 'stalls-later', 'garbage-later'];

type Ending = { readonly text: string; readonly reset: boolean };

/** All that comes until the connection ends. */
async function exchange({ host }: EdgeHost, text: string): Promise<Ending> {
  const socket = await open(host, text);
  let got = '';
  let reset = false;
  socket.on('data', (bytes: Buffer) => {
    got = (got + bytes.toString('latin1')).slice(-200_000);
  });
  socket.on('error', () => {
    reset = true;
  });
  await once(socket, 'close');
  return { text: got, reset };
}

async function open(host: EdgeHost['host'], text: string): Promise<Socket> {
  const socket = await host.tunnel.connect('127.0.0.1', 8000);
  socket.write(text, 'latin1');
  return socket;
}

function get(path: string): string {
  return `GET /${path} HTTP/1.1\r\nHost: edge.example\r\nConnection: close\r\n\r\n`;
}

t.test('endpoints that fail in every way', { skip }, async (t) => {
  const edge = await openEdge(t, 'bad', { timeouts: { firstByteMs: 1_000, idleMs: 1_000 } });
  const { api } = edge.product;
  await api.deploy({
    id: '/refuses',
    cmd: 'exec sleep 1000',
    cpus: 0.1,
    mem: 32,
    networks: [{ mode: 'host' }],
    portDefinitions: [{ port: 0 }],
  });
  await api.must('POST', '/v1/routes', { host: 'refuses.example', app: '/refuses' });
  await api.spread();
  const before = edge.memory();

  for (const [deed, status] of Object.entries(answered)) {
    await t.test(`an endpoint whose deed is "${deed}" gives its client ${status}`, async (t) => {
      const { text } = await exchange(edge, get(deed));
      t.match(
        text.replace(/^(HTTP\/1\.1 1\d\d [\s\S]*?\r\n\r\n)+/, ''),
        new RegExp(`^HTTP/1\\.1 ${status} `),
      );
    });
  }

  for (const deed of brokenOff) {
    await t.test(`an answer that ends by "${deed}" is broken off`, async (t) => {
      const { text } = await exchange(edge, get(deed));
      t.match(text, /^HTTP\/1\.1 200 OK\r\n/);
      t.notMatch(text, /\r\n0\r\n\r\n$/, 'no end of chunks is made up');
      const length = Number(/Content-Length: (\d+)/.exec(text)?.[1] ?? Infinity);
      t.ok(text.length - text.indexOf('\r\n\r\n') - 4 < length, 'it is shorter than it says');
    });
  }

  await t.test('an endpoint that refuses connections gives its client 502', async (t) => {
    const request = get('').replace('edge.example', 'refuses.example');
    t.match((await exchange(edge, request)).text, /^HTTP\/1\.1 502 /);
  });

  await t.test('bytes after an answer are never the next answer', async (t) => {
    for (let n = 0; n < 5; n++) {
      t.match((await exchange(edge, get('more-than-said'))).text, /\r\n\r\nhello\n$/);
      t.match((await exchange(edge, get(''))).text, /\r\n\r\nhello\n$/);
    }
  });

  await t.test('an answer without an end costs no memory, whoever is slow', async (t) => {
    const sockets = await Promise.all(Array.from({ length: 50 }, () => open(edge.host, get('endless'))));
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    t.match((await exchange(edge, get(''))).text, /^HTTP\/1\.1 200 /);
    t.ok(edge.memory() - before < 150 * 2 ** 20, `grown by ${(edge.memory() - before) >> 20} MiB`);
    for (const socket of sockets) socket.destroy();
  });

  await t.test('a request without an end costs no memory', async (t) => {
    const head = 'POST /silent HTTP/1.1\r\nHost: edge.example\r\nTransfer-Encoding: chunked\r\n\r\n';
    const socket = await open(edge.host, head);
    socket.on('error', () => {});
    const chunk = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`);
    for (let n = 0; n < 1_000 && socket.write(chunk); n++);
    t.match((await exchange(edge, get(''))).text, /^HTTP\/1\.1 200 /);
    t.ok(edge.memory() - before < 150 * 2 ** 20, `grown by ${(edge.memory() - before) >> 20} MiB`);
    socket.destroy();
  });

  await t.test('a request that breaks off in the middle is given up', async (t) => {
    const head = 'POST /silent HTTP/1.1\r\nHost: edge.example\r\nContent-Length: 10\r\n\r\nhalf';
    const socket = await open(edge.host, head);
    socket.end();
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => t.fail(`it was answered: ${bytes}`));
    await once(socket, 'close');
    t.match((await exchange(edge, get(''))).text, /^HTTP\/1\.1 200 /);
  });
});
