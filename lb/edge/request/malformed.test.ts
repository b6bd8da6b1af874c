import t from 'tap';
import { advisoriesCanonical, advisoriesRefused } from '../testing/corpus/advisories.ts';
import { canonical, refused } from '../testing/corpus/malformed.ts';
import { misplaced } from '../testing/corpus/places.ts';
import { answerEach, rawClient, serveWith } from '../testing/peers.ts';

t.test('malformed requests', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  for (const [name, text] of Object.entries({ ...refused, ...advisoriesRefused })) {
    t.test(`a request with ${name} is refused and never forwarded`, async (t) => {
      const client = await rawClient(port);
      client.send(text);
      await client.ended.until((ended) => ended);
      client.socket.end();
      t.match(client.text.value, /^HTTP\/1\.1 (400|405|414|417|431|501|505) /);
      t.equal(client.text.value.split('HTTP/1.1 ').length, 2, 'one answer only');
      t.match(client.text.value, /Request id: id-\d+/);
      t.equal(backends[0]!.text, '');
    });
  }
});

t.test('odd requests', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  for (const [name, [text, forwarded]] of Object.entries({ ...canonical, ...advisoriesCanonical })) {
    t.test(`a request with ${name} is forwarded as exactly one canonical request`, async (t) => {
      const before = backends[0]!.text.length;
      const client = await rawClient(port);
      client.send(text);
      t.match(await client.until('ok'), /^HTTP\/1\.1 200 OK\r\n/);
      client.socket.destroy();
      const seen = backends[0]!.text.slice(before);
      t.match(seen, forwarded);
      t.equal(seen.split('HTTP/1.1\r\n').length, 2, 'one request');
    });
  }
});

t.test('what may not stand where it does is refused and never forwarded', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  for (const [name, text] of misplaced) {
    const client = await rawClient(port);
    client.send(text);
    await client.ended.until((ended) => ended);
    client.socket.end();
    t.match(client.text.value, /^HTTP\/1\.1 (400|505) /, name);
    t.equal(client.text.value.split('HTTP/1.1 ').length, 2, 'one answer only');
  }
  t.notMatch(backends[0]!.text, /\r\n\r\n[\s\S]*hello\r\n/, 'no content of them came through');
  t.equal(backends[0]!.text.split('\r\n\r\n0\r\n\r\n').length, 1);
});
