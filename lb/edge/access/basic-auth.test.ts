import t, { type Test } from 'tap';
import { buildTable } from '../routes/route-table.ts';
import { answerEach, directory, rawClient, route, serveWith } from '../testing/peers.ts';
import { Passwords } from './basic-auth.ts';

/** What crypt(3) makes of `Hello world!`. */
const crypted = '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5';
const auth = { realm: 'Shop', user: 'ann', crypted };

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

async function guarded(t: Test) {
  const served = await serveWith(t, [answerEach('secret')]);
  await served.engine.apply(buildTable(directory(2, served.endpoints, [{ ...route(), options: { auth } }])));
  return { ...served, client: await rawClient(served.port) };
}

function get(authorization?: string): string {
  const field = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
  return `GET / HTTP/1.1\r\nHost: web.test\r\n${field}\r\n`;
}

t.test('a guarded route asks for a password and lets in who names it', async (t) => {
  const { client, backends } = await guarded(t);
  const attempts = [undefined, 'Bearer x', basic('ann', 'wrong'), basic('eve', 'Hello world!'), 'Basic !'];
  for (const [n, authorization] of attempts.entries()) {
    client.send(get(authorization));
    await client.until('HTTP/1.1 401 Unauthorized\r\n', n + 1);
  }
  t.match(client.text.value, '\r\nWWW-Authenticate: Basic realm="Shop", charset="UTF-8"\r\n');
  t.equal(backends[0]!.text, '');
  for (let n = 1; n <= 3; n++) {
    client.send(get(basic('ann', 'Hello world!')));
    await client.until('secret', n);
  }
  client.socket.destroy();
});

t.test('requests that arrive while a password is checked are answered in order', async (t) => {
  const { client, backends } = await guarded(t);
  const right = basic('ann', 'Hello world!');
  const post = `POST / HTTP/1.1\r\nHost: web.test\r\nAuthorization: ${right}\r\nContent-Length: 6\r\n\r\n`;
  client.send(`${post}ab`);
  client.send(`cdef${get(basic('ann', 'wrong'))}`);
  client.send(get(right));
  const text = await client.until('secret', 2);
  t.same(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 200']);
  t.match(backends[0]!.text, 'abcdef');
  client.socket.destroy();
});

t.test('a client that has said all it wants still gets its answer after the check', async (t) => {
  const { client } = await guarded(t);
  client.socket.end(get(basic('ann', 'Hello world!')));
  t.match(await client.until('secret'), 'HTTP/1.1 200 ');
});

t.test('a client that leaves while its password is checked is forgotten', async (t) => {
  const { client, engine, port } = await guarded(t);
  client.send(get(basic('ann', 'other')));
  client.socket.resetAndDestroy();
  const next = await rawClient(port);
  next.send(get(basic('ann', 'Hello world!')));
  await next.until('secret');
  next.socket.destroy();
  while ((await engine.stats()).openConnections > 0) await new Promise((resolve) => setImmediate(resolve));
});

t.test('guessing many passwords at once is answered by busy, and a known one goes on', async (t) => {
  const passwords = new Passwords();
  await passwords.check(auth, basic('ann', 'Hello world!'));
  const guesses = Array.from({ length: 40 }, (_, n) => passwords.check(auth, basic('ann', `guess ${n}`)));
  t.equal(guesses.filter((verdict) => verdict === 'busy').length, 8);
  t.equal(passwords.check(auth, basic('ann', 'Hello world!')), 'granted');
  await Promise.all(guesses);
  t.equal(passwords.check(auth, basic('ann', 'guess 3')), 'denied');
});
