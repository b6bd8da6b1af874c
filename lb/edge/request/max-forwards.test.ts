import t from 'tap';
import { ask, http2Client } from '../testing/http2-peers.ts';
import { answerEach, rawClient, serveWith } from '../testing/peers.ts';

const request = (method: string, left: string) =>
  `${method} / HTTP/1.1\r\nHost: web.test\r\nMax-Forwards: ${left}\r\n\r\n`;

t.test('a request that may not be handed on ends at the edge', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  for (const method of ['OPTIONS', 'TRACE']) {
    const client = await rawClient(port);
    client.send(request(method, '0'));
    t.match(await client.until('Request id: '), /^HTTP\/1\.1 200 OK\r\n[\s\S]*Max-Forwards is 0/, method);
    client.socket.destroy();
  }
  const session = await http2Client(t, port);
  t.match(`${(await ask(session, { ':method': 'OPTIONS', 'max-forwards': '0' })).body}`, /Max-Forwards is 0/);
  t.equal(backends[0]!.text, '');
});

t.test(
  'a request that may be handed on so often is so once less; of other methods it says nothing',
  async (t) => {
    const { port, backends } = await serveWith(t, [answerEach()]);
    for (const [method, left, told] of [
      ['OPTIONS', '5', '4'],
      ['TRACE', '1', '0'],
      ['GET', '0', '0'],
      ['OPTIONS', 'x', 'x'],
    ] as const) {
      const before = backends[0]!.text.length;
      const client = await rawClient(port);
      client.send(request(method, left));
      await client.until('\r\n\r\nok');
      t.same(
        backends[0]!.text.slice(before).match(/Max-Forwards: .*/gi),
        [`Max-Forwards: ${told}`],
        `${method} ${left}`,
      );
      client.socket.destroy();
    }
  },
);
