import t from 'tap';
import { type Http2Case, http2Canonical, http2LeftOut, http2Refused } from '../testing/corpus/http2-heads.ts';
import { FrameClient, fieldBlock, flags, frame, frameTypes } from '../testing/http2-frames.ts';
import { answerEach, serveWith } from '../testing/peers.ts';

/** What came of the request on a connection of its own: a status, or how stream or connection ended. */
async function send(port: number, { fields, content }: Http2Case): Promise<string> {
  const client = await FrameClient.open(port);
  const end = content === undefined ? flags.endStream : 0;
  client.send(frame(frameTypes.headers, flags.endHeaders | end, 1, fieldBlock(fields)));
  if (content !== undefined)
    client.send(frame(frameTypes.data, flags.endStream, 1, Buffer.from(content, 'latin1')));
  const outcome = await client.outcome(1);
  client.socket.destroy();
  return outcome;
}

t.test('requests of HTTP/2 that are none', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  for (const [name, request] of Object.entries(http2Refused)) {
    t.test(`HTTP/2: a request with ${name} is refused, and no other is made of it`, async (t) => {
      const before = backends[0]!.text.length;
      t.match(await send(port, request), /^(400|405|408|417|431|501|reset \d+|goaway \d+)$/);
      t.notMatch(backends[0]!.text.slice(before), /\r\n\r\n[\s\S]*HTTP\/1\.1/, 'no second request');
      t.notMatch(backends[0]!.text, 'GET /smuggled HTTP/1.1');
    });
  }
});

t.test('requests of HTTP/2 with a field that cannot be', async (t) => {
  for (const [name, request] of Object.entries(http2LeftOut)) {
    t.test(`HTTP/2: of a request with ${name} the field alone is left out`, async (t) => {
      const { port, backends } = await serveWith(t, [answerEach()]);
      t.equal(await send(port, request), '200');
      t.match(
        backends[0]!.text,
        /^(GET|POST) \/ HTTP\/1\.1\r\nHost: web\.test\r\n(x: y\r\n)?X-Forwarded-For: /,
      );
      t.equal(backends[0]!.text.split('\r\n\r\n').length, 2, 'one head and no content');
    });
  }
});

t.test('odd requests of HTTP/2', async (t) => {
  for (const [name, request] of Object.entries(http2Canonical)) {
    t.test(`HTTP/2: a request with ${name} is forwarded as exactly one canonical request`, async (t) => {
      const { port, backends } = await serveWith(t, [answerEach()]);
      t.equal(await send(port, request), '200');
      t.match(backends[0]!.text, request.forwarded);
    });
  }
});

t.test('HTTP/2 ends a request whose content turns out to be empty', async (t) => {
  const ends = {
    'an empty frame': frame(frameTypes.data, flags.endStream, 1),
    'a frame of padding': frame(frameTypes.data, flags.endStream | flags.padded, 1, Buffer.alloc(6, '\x05')),
    trailers: frame(frameTypes.headers, flags.endStream | flags.endHeaders, 1, fieldBlock([['x', 'y']])),
  };
  const begun = [':method', ':scheme', ':path', ':authority'].map(
    (name, n) => [name, ['POST', 'http', '/', 'web.test'][n]!] as const,
  );
  for (const [name, end] of Object.entries(ends)) {
    const { port } = await serveWith(t, [
      (recorded) => {
        if (recorded.text.value.includes('\r\n\r\n0\r\n')) answerEach()(recorded);
      },
    ]);
    const client = await FrameClient.open(port);
    client.send(frame(frameTypes.headers, flags.endHeaders, 1, fieldBlock(begun)), end);
    t.equal(await client.outcome(1), '200', name);
    client.socket.destroy();
  }
});
