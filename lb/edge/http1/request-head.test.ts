import fc from 'fast-check';
import t from 'tap';
import type { Fault } from './fault.ts';
import { FieldTable, INCOMPLETE } from './fields.ts';
import { type RequestHead, readRequest, requestScan, scanRequest } from './request-head.ts';

const scan = requestScan(new FieldTable(64));

function parse(text: string): RequestHead | Fault | 'incomplete' {
  const bytes = Buffer.from(text, 'latin1');
  const end = scanRequest(bytes, 0, bytes.length, scan);
  if (end === INCOMPLETE) return 'incomplete';
  return end < 0 ? scan.fields.fault : readRequest(bytes.toString('latin1', 0, end), scan);
}

function head(text: string): RequestHead {
  const result = parse(text);
  if (result === 'incomplete' || 'reason' in result) throw new Error(`refused: ${JSON.stringify(result)}`);
  return result;
}

t.test('a request head is read into method, target, host and fields', async (t) => {
  const { method, target, path, host, minor, fields, text } = head(
    'POST /a/b?c=d HTTP/1.1\r\nHost: Shop.Example.ORG.:8080\r\nX-Thing:  a \t b \r\n\r\n',
  );
  t.match({ method, target, path, minor }, { method: 'POST', target: '/a/b?c=d', path: '/a/b', minor: 1 });
  t.same(host, { text: 'Shop.Example.ORG.:8080', name: 'shop.example.org' });
  t.equal(fields.name(text, 1), 'X-Thing');
  t.equal(fields.value(text, 1), 'a \t b');
});

t.test('a request head in absolute form takes its host from the target', async (t) => {
  const { target, host, absolute } = head('GET http://b.test:81?q HTTP/1.1\r\nHost: a.test\r\n\r\n');
  t.match({ target, host, absolute }, { target: '/?q', host: { text: 'b.test:81', name: 'b.test' } });
  t.ok(absolute);
});

t.test('a request head knows its framing and the wishes for its connection', async (t) => {
  t.match(head('PUT / HTTP/1.1\r\nhost: a\r\ncontent-LENGTH: 12\r\n\r\n'), { contentLength: 12 });
  t.match(head('PUT / HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n'), { chunked: true });
  t.match(head('GET / HTTP/1.1\r\nhost: a\r\nConnection: Upgrade, X-a ,, close\r\n\r\n'), {
    upgrade: true,
    close: true,
    named: new Set(['x-a']),
  });
  t.match(head('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'), { keepAlive: true, host: undefined });
  t.match(head('PUT / HTTP/1.1\r\nhost: a\r\nExpect: 100-Continue\r\n\r\n'), { expectContinue: true });
});

const refusals: readonly (readonly [name: string, text: string, status: number])[] = [
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405],
  ['an unknown version', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['an unknown minor version', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 505],
  ['an unknown expectation', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n', 417],
  ['a second coding', 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 501],
  ['a target of another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target with user information', 'GET http://u@a@b/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['* with GET', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a port beyond 65535', 'GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n', 400],
  ['Connection that names Host', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n', 400],
];
for (const [name, text, status] of refusals) {
  t.test(`a request head with ${name} is refused`, async (t) => {
    t.match(parse(text), { status });
  });
}

t.test('a request head with more fields than allowed is refused', async (t) => {
  const text = `GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(64)}\r\n`;
  t.match(parse(text), { status: 431 });
});

t.test('a request head is incomplete at every earlier cut and never refused for being cut', async (t) => {
  const text = 'OPTIONS /x HTTP/1.1\r\nHost: a.test\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n';
  for (let cut = 0; cut < text.length; cut++)
    t.equal(parse(text.slice(0, cut)), 'incomplete', `cut at ${cut}`);
  t.ok(head(text).chunked);
});

t.test('a request head costs time in proportion to its length, whatever is in it', async (t) => {
  const long = (piece: string) => piece.repeat(30_000 / piece.length);
  const lines = {
    'blanks in Connection': `Connection: a${long(' ')}b`,
    'tabs in Connection': `Connection: a${long('\t')}b`,
    'commas in Connection': `Connection: ${long(',')}`,
    'blanks in Transfer-Encoding': `Transfer-Encoding: a${long(' ')}b`,
    'commas in Transfer-Encoding': `Transfer-Encoding: ${long('a ,')}`,
    'codings in Transfer-Encoding': `Transfer-Encoding: ${long('chunked ')}`,
    'blanks in Content-Length': `Content-Length: 1${long(' ')}2`,
    'blanks in Expect': `Expect: a${long(' ')}b`,
  };
  for (const [name, line] of Object.entries(lines)) {
    const before = process.cpuUsage();
    parse(`GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`);
    const { user } = process.cpuUsage(before);
    t.ok(user < 200_000, `${name}: ${user} us`);
  }
});

const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/);
const value = fc.stringMatching(/^[\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff\t]{0,20}[\x21-\x7e\x80-\xff])?$/);
const field = fc
  .tuple(token, value)
  .filter(([name]) => !/^(host|connection|expect|content-length|transfer-encoding)$/i.test(name));

t.test('a request head gives back the fields it was written with', async () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), fc.stringMatching(/^ {0,2}$/), (fields, blank) => {
      const lines = fields.map(([name, text]) => `${name}:${blank}${text}${blank}\r\n`).join('');
      const read = head(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
      const seen = fields.map((_, i) => [
        read.fields.name(read.text, i + 1),
        read.fields.value(read.text, i + 1),
      ]);
      return JSON.stringify(seen) === JSON.stringify(fields);
    }),
  );
});

t.test('a request head with any byte changed is read or refused, never anything else', async () => {
  const text = 'GET /a?b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nConnection: close\r\n\r\n';
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.nat(255), (at, byte) => {
      const changed = text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1);
      const result = parse(changed);
      if (result === 'incomplete') return true;
      if ('reason' in result) return result.status >= 400;
      // Whatever is let through has lines that end in CRLF only and no control characters.
      const lines = result.text.split('\r\n');
      return lines.every((line) => [...line].every((c) => c === '\t' || (c >= ' ' && c !== '\x7f')));
    }),
    { numRuns: 5_000 },
  );
});
