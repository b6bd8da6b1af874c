import t from 'tap';
import { FakeClock } from '../../../core/kit/fake-clock.ts';
import { ask, http2Client } from '../testing/http2-peers.ts';
import { answerEach, type Recorded, rawClient, serveWith } from '../testing/peers.ts';
import { HttpDate } from './http-date.ts';

const get = (host = 'web.test') => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const dates = (text: string) => text.match(/^date: .*$/gim);
const now = /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

t.test('a date is written as RFC 9110 §5.6.7 has it, and is of the second', async (t) => {
  const clock = new FakeClock(Date.UTC(1994, 10, 6, 8, 49, 37, 999));
  const date = new HttpDate(clock);
  t.equal(date.line, 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n');
  clock.advance(1);
  t.equal(date.line, 'Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n');
});

t.test('an answer without a date gets one, and one that has it keeps it', async (t) => {
  const old = 'Sun, 06 Nov 1994 08:49:37 GMT';
  const dated = (recorded: Recorded) =>
    recorded.send(`HTTP/1.1 200 OK\r\nDATE: ${old}\r\nContent-Length: 2\r\n\r\nok`);
  for (const [answer, expected] of [
    [answerEach(), now],
    [dated, new RegExp(`^${old}$`)],
  ] as const) {
    const { port } = await serveWith(t, [answer]);
    const client = await rawClient(port);
    client.send(get());
    const [line, ...others] = dates(await client.until('\r\n\r\nok')) ?? [];
    t.match(line?.slice(6), expected);
    t.same(others, []);
    client.socket.destroy();
    const session = await http2Client(t, port);
    t.match((await ask(session, {})).headers.date, expected);
  }
});

t.test('what the edge itself says is dated', async (t) => {
  const { port } = await serveWith(t, [answerEach()]);
  const client = await rawClient(port);
  client.send(get('nobody.test'));
  client.send('nonsense\r\n\r\n');
  await client.ended.until((ended) => ended);
  t.equal(dates(client.text.value)?.length, 2);
  client.socket.destroy();
  const session = await http2Client(t, port);
  t.match((await ask(session, { ':authority': 'nobody.test' })).headers.date, now);
});
