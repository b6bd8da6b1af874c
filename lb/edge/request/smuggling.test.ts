import t from 'tap';
import { hidden } from '../testing/corpus/hidden.ts';
import { answerEach, rawClient, serveWith } from '../testing/peers.ts';

t.test('requests whose end is hidden from one of two servers', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  for (const [name, text] of hidden) {
    const client = await rawClient(port);
    client.send(text);
    await client.ended.until((ended) => ended);
    client.socket.end();
    t.match(client.text.value, /^HTTP\/1\.1 (400|501) /, JSON.stringify(name));
    t.equal(client.text.value.split('HTTP/1.1 ').length, 2, 'one answer only');
  }
  t.equal(backends[0]!.text, '', 'nothing was forwarded');
});
