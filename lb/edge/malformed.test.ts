import t from 'tap';
import { answerEach, rawClient, serveWith } from './testing/peers.ts';

/** Requests that must be refused: the backend sees nothing, the client gets an error, its connection closes. */
const line = 'GET / HTTP/1.1\r\n';
const host = 'Host: web.test\r\n';
const post = `POST / HTTP/1.1\r\n${host}`;
const end = '\r\n';
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;

const refused: Readonly<Record<string, string>> = {
  'both lengths': `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  'both lengths, coding first': `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
  'two equal lengths': `${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
  'two different lengths': `${post}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${smuggled}`,
  'a list of lengths': `${post}Content-Length: 5, 5\r\n\r\nhello`,
  'a negative length': `${post}Content-Length: -5\r\n\r\nhello`,
  'a length with a plus': `${post}Content-Length: +5\r\n\r\nhello`,
  'a hexadecimal length': `${post}Content-Length: 0x5\r\n\r\nhello`,
  'a length with an underscore': `${post}Content-Length: 1_0\r\n\r\nhello`,
  'a length with a fraction': `${post}Content-Length: 5.0\r\n\r\nhello`,
  'an empty length': `${post}Content-Length:\r\n\r\n`,
  'a length too large to be exact': `${post}Content-Length: 9999999999999999999\r\n\r\n`,
  'a length with a space inside': `${post}Content-Length: 5 5\r\n\r\nhello`,
  'a quoted length': `${post}Content-Length: "5"\r\n\r\nhello`,
  'two codings': `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'chunked twice in one field': `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
  'chunked not last': `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  identity: `${post}Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello`,
  'an unknown coding': `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'a coding before chunked': `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  'a coding with a vertical tab': `${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  'a quoted coding': `${post}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`,
  'an empty coding': `${post}Transfer-Encoding:\r\n\r\n0\r\n\r\n`,
  'a coding with a parameter': `${post}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n`,
  'a coding in HTTP/1.0': `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'space before the colon of a length': `${post}Content-Length : 5\r\n\r\nhello`,
  'space before the colon of a coding': `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  'tab before a colon': `${line}${host}X\t: y\r\n\r\n`,
  'a folded field': `${line}${host}X: a\r\n b\r\n\r\n`,
  'a folded length': `${post}Content-Length:\r\n 5\r\n\r\nhello`,
  'a first field that begins with space': `${line} Host: web.test\r\n\r\n`,
  'a field without colon': `${line}${host}X\r\n\r\n`,
  'a field without name': `${line}${host}: x\r\n\r\n`,
  'a field name with a space': `${line}${host}X Y: z\r\n\r\n`,
  'a field name with a bracket': `${line}${host}X[0]: z\r\n\r\n`,
  'a field name with a letter beyond ASCII': `${line}${host}X\xe9: z\r\n\r\n`,
  'a field name with NUL': `${line}${host}X\0: z\r\n\r\n`,
  'a value with NUL': `${line}${host}X: a\0b\r\n\r\n`,
  'a value with a bare CR': `${line}${host}X: a\rb\r\n\r\n`,
  'a value with DEL': `${line}${host}X: a\x7fb\r\n\r\n`,
  'a value with a control character': `${line}${host}X: a\x01b\r\n\r\n`,
  'a bare LF after the request line': `GET / HTTP/1.1\n${host}\r\n`,
  'a bare LF after a field': `${line}Host: web.test\nX: y\r\n\r\n`,
  'a bare LF at the end of the head': `${line}${host}\n`,
  'bare LFs everywhere': 'GET / HTTP/1.1\nHost: web.test\n\n',
  'a bare CR after the request line': `GET / HTTP/1.1\r${host}\r\n`,
  'a bare CR at the end of the head': `${line}${host}\rX${end}`,
  'no Host': `${line}\r\n`,
  'two Hosts': `${line}${host}Host: other.test\r\n\r\n`,
  'two equal Hosts': `${line}${host}${host}\r\n`,
  'an empty Host': `${line}Host:\r\n\r\n`,
  'a Host with a slash': `${line}Host: web.test/x\r\n\r\n`,
  'a Host with user information': `${line}Host: u@web.test\r\n\r\n`,
  'a Host with a space': `${line}Host: web.test x\r\n\r\n`,
  'a Host that is a list': `${line}Host: web.test, other.test:80:90\r\n\r\n`,
  'a Host with a bad port': `${line}Host: web.test:port\r\n\r\n`,
  'a Host with a broken escape': `${line}Host: web%zz.test\r\n\r\n`,
  'two spaces after the method': `GET  / HTTP/1.1\r\n${host}\r\n`,
  'a tab after the method': `GET\t/ HTTP/1.1\r\n${host}\r\n`,
  'a space before the method': ` GET / HTTP/1.1\r\n${host}\r\n`,
  'a space after the version': `GET / HTTP/1.1 \r\n${host}\r\n`,
  'a space in the target': `GET /a b HTTP/1.1\r\n${host}\r\n`,
  'a control character in the target': `GET /\x01 HTTP/1.1\r\n${host}\r\n`,
  'a byte beyond ASCII in the target': `GET /\xe9 HTTP/1.1\r\n${host}\r\n`,
  'a fragment in the target': `GET /a#b HTTP/1.1\r\n${host}\r\n`,
  'an empty target': `GET  HTTP/1.1\r\n${host}\r\n`,
  'a target without slash': `GET a HTTP/1.1\r\n${host}\r\n`,
  'no version': `GET /\r\n${host}\r\n`,
  'HTTP/0.9': 'GET /\r\n',
  'a lower-case version': `GET / http/1.1\r\n${host}\r\n`,
  'a version of two digits': `GET / HTTP/1.10\r\n${host}\r\n`,
  'a version with a leading zero': `GET / HTTP/01.1\r\n${host}\r\n`,
  'HTTP/3.0': `GET / HTTP/3.0\r\n${host}\r\n`,
  'a method with a separator': `GE(T / HTTP/1.1\r\n${host}\r\n`,
  'no method': `/ HTTP/1.1\r\n${host}\r\n`,
  CONNECT: 'CONNECT web.test:443 HTTP/1.1\r\nHost: web.test:443\r\n\r\n',
  'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'Connection that names Content-Length': `${post}Connection: content-length\r\nContent-Length: 5\r\n\r\nhello`,
  'Connection that names Transfer-Encoding': `${post}Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'Connection that is no list of tokens': `${line}${host}Connection: a b\r\n\r\n`,
  'an unknown expectation': `${post}Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello`,
  'a bad chunk size': `${post}Transfer-Encoding: chunked\r\n\r\nZ\r\n`,
  'a chunk size with 0x': `${post}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`,
  'a chunk size with a space': `${post}Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n`,
  'a chunk size that overflows': `${post}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF5\r\nhello\r\n0\r\n\r\n`,
  'a chunk size that ends in a bare LF': `${post}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`,
  'a chunk longer than its size': `${post}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n`,
  'a chunk that ends in a bare LF': `${post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n`,
  'a chunk extension with a bare LF': `${post}Transfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n0\r\n\r\n`,
  'a bad trailer': `${post}Transfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n`,
  'too many fields': `${line}${host}${'X: y\r\n'.repeat(200)}\r\n`,
  'a head too large': `${line}${host}X: ${'y'.repeat(40_000)}\r\n\r\n`,
  'a request line too long': `GET /${'y'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`,
};

t.test('malformed requests', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  for (const [name, text] of Object.entries(refused)) {
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

/** Requests that are odd but valid: the backend gets exactly one request, written in one way only. */
const canonical: Readonly<Record<string, readonly [text: string, forwarded: RegExp]>> = {
  'chunk extensions': [
    `${post}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0;z\r\n\r\n`,
    /^POST \/ HTTP\/1\.1\r\nHost: web\.test\r\nTransfer-Encoding: chunked\r\n[\s\S]*\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/,
  ],
  'an absolute target': [
    'GET http://WEB.test/a?b HTTP/1.1\r\nHost: other.test\r\n\r\n',
    /^GET \/a\?b HTTP\/1\.1\r\nHost: WEB\.test\r\n(?![\s\S]*other)/,
  ],
  'hop-by-hop fields': [
    `${line}${host}Connection: x-secret, close\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: a\r\nA: b\r\n\r\n`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\nA: b\r\nX-Forwarded-For/,
  ],
  'forged forwarding fields': [
    `${line}${host}X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Request-Id: mine\r\n\r\n`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\nX-Forwarded-For: 127\.0\.0\.1\r\nX-Forwarded-Proto: http\r\n(?![\s\S]*(6\.6|mine))/,
  ],
  'an upgrade to h2c': [
    `${line}${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\nX-Forwarded-For(?![\s\S]*(Upgrade|Settings))/,
  ],
  'an empty line before it': [`\r\n${line}${host}\r\n`, /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\n/],
  'HTTP/1.0': [
    `GET / HTTP/1.0\r\n${host}\r\n`,
    /^GET \/ HTTP\/1\.1\r\nHost: web\.test\r\n[\s\S]*Via: 1\.0 weir/,
  ],
};

t.test('odd requests', async (t) => {
  const { port, backends } = await serveWith(t, [answerEach()]);
  for (const [name, [text, forwarded]] of Object.entries(canonical)) {
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
