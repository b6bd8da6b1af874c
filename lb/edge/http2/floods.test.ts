import t from 'tap';
import { FrameClient, fieldBlock, flags, frame, frameTypes, number32 } from '../testing/http2-frames.ts';
import { ask, http2Client } from '../testing/http2-peers.ts';
import { answerEach, serveWith } from '../testing/peers.ts';

const get = fieldBlock([
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'web.test'],
]);

const maxBytes = 16_000_000;
const mostMemory = 150 * 2 ** 20;

/** What an attacker repeats until it is cut off, frame by frame. */
const floods: Readonly<Record<string, (n: number) => Buffer>> = {
  // CVE-2024-27316 and its kin: a head that never ends.
  CONTINUATION: (n) =>
    n === 0
      ? frame(frameTypes.headers, 0, 1, get)
      : frame(frameTypes.continuation, 0, 1, fieldBlock([[`x-${n}`, 'y'.repeat(1_000)]])),
  'empty CONTINUATION': (n) =>
    n === 0 ? frame(frameTypes.headers, 0, 1, get) : frame(frameTypes.continuation, 0, 1),
  // CVE-2023-44487.
  'rapid reset': (n) =>
    Buffer.concat([
      frame(frameTypes.headers, flags.endHeaders | flags.endStream, 2 * n + 1, get),
      frame(frameTypes.reset, 0, 2 * n + 1, number32(8)),
    ]),
  // CVE-2025-8671: the edge is made to reset.
  'made you reset': (n) =>
    Buffer.concat([
      frame(frameTypes.headers, flags.endHeaders | flags.endStream, 2 * n + 1, get),
      frame(frameTypes.windowUpdate, 0, 2 * n + 1, number32(0)),
    ]),
  // CVE-2019-9512, -9515: each wants an answer that is not read.
  PING: () => frame(frameTypes.ping, 0, 0, Buffer.alloc(8)),
  SETTINGS: () => frame(frameTypes.settings, 0, 0, Buffer.concat([Buffer.from([0, 3]), number32(100)])),
  'large SETTINGS': () =>
    frame(frameTypes.settings, 0, 0, Buffer.concat(Array(2_000).fill(Buffer.from([0, 3, 0, 0, 0, 100])))),
  PRIORITY: (n) => frame(2, 0, 2 * n + 1, Buffer.concat([number32(0), Buffer.from([1])])),
  PRIORITY_UPDATE: (n) => frame(16, 0, 0, Buffer.concat([number32(2 * n + 1), Buffer.from('u=1')])),
  'WINDOW_UPDATE by one': () => frame(frameTypes.windowUpdate, 0, 0, number32(1)),
  GOAWAY: () => frame(7, 0, 0, Buffer.concat([number32(0), number32(0)])),
  'unknown frames': () => frame(250, 0, 0, Buffer.alloc(100)),
  'resets of streams that never were': (n) => frame(frameTypes.reset, 0, 2 * n + 1, number32(8)),
  'heads without end of content': (n) =>
    frame(
      frameTypes.headers,
      flags.endHeaders,
      2 * n + 1,
      fieldBlock([
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'web.test'],
      ]),
    ),
  // CVE-2019-9518.
  'empty DATA': (n) =>
    n === 0
      ? frame(
          frameTypes.headers,
          flags.endHeaders,
          1,
          fieldBlock([
            [':method', 'POST'],
            [':scheme', 'http'],
            [':path', '/'],
            [':authority', 'web.test'],
          ]),
        )
      : frame(frameTypes.data, 0, 1),
  // CVE-2016-6581: a table entry of 4 kB, and heads that name it hundreds of times: small frames, heads of megabytes.
  'HPACK bomb': (n) => {
    const entry = Buffer.concat([
      Buffer.from([0x40, 1, 0x78]),
      Buffer.from([127, 0x80 + 0x21, 0x1e]),
      Buffer.alloc(4_000, 'a'),
    ]);
    const block = Buffer.concat([get, n === 0 ? entry : Buffer.alloc(0), Buffer.alloc(8_000, 0xbe)]);
    return frame(frameTypes.headers, flags.endHeaders | flags.endStream, 2 * n + 1, block);
  },
};

t.test('floods of HTTP/2', async (t) => {
  for (const [name, next] of Object.entries(floods)) {
    t.test(`HTTP/2: a flood of ${name} is cut off, or costs nothing; others are served`, async (t) => {
      const { port } = await serveWith(t, [answerEach()]);
      const before = process.memoryUsage.rss();
      const client = await FrameClient.open(port);
      await flood(client, next, { reads: true });
      const other = await http2Client(t, port);
      t.equal(`${(await ask(other, {})).headers[':status']}`, '200');
      t.ok(process.memoryUsage.rss() - before < mostMemory, 'memory stays bounded');
      client.socket.destroy();
    });
  }
});

async function flood(
  client: FrameClient,
  next: (n: number) => Buffer,
  { reads }: { readonly reads: boolean },
): Promise<void> {
  const { socket, closed } = client;
  socket.pause();
  for (let n = 0; n < 20_000 && socket.bytesWritten < maxBytes && !closed.value; n++) {
    client.send(next(n));
    if (n % 200 !== 199) continue;
    if (reads) socket.resume();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('HTTP/2: a client that opens every window and reads nothing costs little', async (t) => {
  const { port } = await serveWith(t, [answerEach('x'.repeat(100_000))]);
  const before = process.memoryUsage.rss();
  const client = await FrameClient.open(port, [[4, 2 ** 31 - 1]]);
  client.send(frame(frameTypes.windowUpdate, 0, 0, number32(2 ** 31 - 65_536)));
  const request = (n: number) =>
    frame(frameTypes.headers, flags.endHeaders | flags.endStream, 2 * n + 1, get);
  await flood(client, request, { reads: false });
  const other = await http2Client(t, port);
  t.equal((await ask(other, {})).body.length, 100_000);
  t.ok(process.memoryUsage.rss() - before < mostMemory, 'memory stays bounded');
  client.socket.destroy();
});

t.test('HTTP/2: a client that opens no window keeps no other from being served', async (t) => {
  const { port } = await serveWith(t, [answerEach('x'.repeat(100_000))]);
  const client = await FrameClient.open(port, [[4, 0]]);
  for (let n = 0; n < 100; n++)
    client.send(frame(frameTypes.headers, flags.endHeaders | flags.endStream, 2 * n + 1, get));
  t.equal(await client.outcome(1), '200');
  const other = await http2Client(t, port);
  t.equal((await ask(other, {})).body.length, 100_000);
  client.socket.destroy();
});
