import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { Route, RouteOptions } from '../../../core/model/route.ts';
import {
  answerEach,
  directory,
  endpoint,
  type Recorded,
  RecordingBackend,
  rawClient,
  route,
  serveWith,
} from '../testing/peers.ts';
import { buildTable } from './route-table.ts';

type More = Partial<Route> & { readonly answers?: readonly ((recorded: Recorded) => void)[] };

/** An engine with one route of these options to `web`, and one backend for each app named in them. */
async function serving(t: Test, options: RouteOptions, { answers = [answerEach()], ...rule }: More = {}) {
  const { engine, backends, endpoints, port } = await serveWith(t, answers);
  const other = new RecordingBackend(answerEach('other'));
  t.teardown(() => other.stop());
  const others = endpoint({ app: '/other', port: await other.start() });
  await engine.apply(buildTable(directory(2, [...endpoints, others], [{ ...route(), ...rule, options }])));
  const ask = async (line = 'GET /', fields = '', body = '') => {
    const client = await rawClient(port);
    client.send(`${line} HTTP/1.1\r\nHost: web.test\r\n${fields}Connection: close\r\n\r\n${body}`);
    await client.ended.until((ended) => ended);
    client.socket.destroy();
    return client.text.value;
  };
  return { engine, backends, other, port, ask };
}

const toOther = { appId: '/other', portIndex: 0 };

t.test('a redirect keeps what it does not name', async (t) => {
  for (const [redirect, line, location] of [
    [{ status: 308, scheme: 'https' }, 'GET /a?b', 'https://web.test/a?b'],
    [{ status: 302, host: 'new.test', prefix: '/v2' }, 'GET /api/x?y', 'http://new.test/v2/x?y'],
    [{ status: 301, path: '/home', port: 8080 }, 'GET /api', 'http://web.test:8080/home'],
  ] as const) {
    const { ask } = await serving(t, { redirect }, { pathPrefix: redirect.status === 308 ? '/' : '/api' });
    t.match(await ask(line), new RegExp(`^HTTP/1.1 ${redirect.status} `));
    t.match(await ask(line), `\r\nLocation: ${location}\r\n`);
  }
});

t.test('path and host are rewritten on the way', async (t) => {
  for (const [options, line, seen] of [
    [
      { rewritePath: { prefix: '/' }, rewriteHost: 'in.test' },
      'GET /api/x?y',
      'GET /x?y HTTP/1.1\r\nHost: in.test\r\n',
    ],
    [{ rewritePath: { prefix: '/v2/' } }, 'GET /api', 'GET /v2/ HTTP/1.1\r\nHost: web.test\r\n'],
    [
      { rewritePath: { regex: '/api/([a-z]+)', with: '/$1/api' } },
      'GET /api/x/1',
      'GET /x/api/1 HTTP/1.1\r\n',
    ],
    [{ rewritePath: { from: '/api', to: '' } }, 'GET /api/i', 'GET /i HTTP/1.1\r\n'],
  ] as const) {
    const { ask, backends } = await serving(t, options, { pathPrefix: '/api' });
    await ask(line);
    t.match(backends[0]!.text.slice(0, seen.length), seen);
    t.equal(backends[0]!.text.split('Host:').length, 3, 'Host and X-Forwarded-Host, each once');
  }
});

t.test('paths of Edge-LB are exchanged byte by byte', async (t) => {
  for (const [from, to, path, seen] of [
    ['/nginx', '', '/nginx', '/'],
    ['/nginx', '/', '/nginx', '/'],
    ['/nginx', '/', '/nginx/', '/'],
    ['/nginx', '/', '/nginx/index.html', '/index.html'],
    ['/nginx/', '/', '/nginx', '/nginx'],
    ['/nginx/', '', '/nginx/', '/'],
    ['/nginx', '/subpath', '/nginx', '/subpath'],
    ['/nginx', '/subpath', '/nginx/', '/subpath/'],
    ['/nginx', '/subpath', '/nginx/index.html', '/subpath/index.html'],
    ['/nginx', '/subpath/', '/nginx/index.html', '/subpath//index.html'],
    ['/nginx/', '/subpath/', '/nginx/index.html', '/subpath/index.html'],
    ['/nginx', '/x', '/nginxfoo', '/xfoo'],
  ] as const) {
    const { ask, backends } = await serving(t, { rewritePath: { from, to } });
    await ask(`GET ${path}`);
    t.match(backends[0]!.text, `GET ${seen} HTTP/1.1\r\n`, `${from} ${to} ${path}`);
  }
});

t.test('fields are removed, set and added both ways', async (t) => {
  const edits = { remove: ['X-Gone'], set: { 'X-Set': 'ours' }, add: { 'X-Added': 'too' } };
  const answer = 'HTTP/1.1 200 OK\r\nX-Gone: 1\r\nX-Set: theirs\r\nX-Added: one\r\nContent-Length: 0\r\n\r\n';
  const { ask, backends } = await serving(
    t,
    { requestFields: edits, answerFields: edits },
    { answers: [(recorded) => recorded.send(answer)] },
  );
  const text = await ask('GET /', 'x-gone: 1\r\nX-SET: theirs\r\nX-Added: one\r\n');
  for (const head of [text, backends[0]!.text]) {
    t.notMatch(head.toLowerCase(), 'x-gone');
    t.notMatch(head, 'theirs');
    t.match(head, '\r\nX-Set: ours\r\n');
    t.match(head, /X-Added: one[\s\S]*X-Added: too/);
  }
});

t.test('denied addresses are refused even if allowed', async (t) => {
  const { ask } = await serving(t, { allow: ['127.0.0.0/8'], deny: ['127.0.0.1'] });
  t.match(await ask(), 'HTTP/1.1 403 ');
});

t.test('during maintenance everybody gets the page but the spared', async (t) => {
  const maintenance = {
    text: '<p>Zurück um 9</p>',
    contentType: 'text/html; charset=utf-8',
    retryAfterSeconds: 60,
  };
  const { ask, backends } = await serving(t, { maintenance });
  const text = await ask();
  t.match(
    text,
    /^HTTP\/1\.1 503 [\s\S]*Content-Type: text\/html; charset=utf-8\r\n[\s\S]*Retry-After: 60\r\n/,
  );
  t.match(Buffer.from(text, 'latin1').toString('utf8'), /\r\n\r\n<p>Zurück um 9<\/p>$/);
  t.match(text, `Content-Length: ${Buffer.byteLength(maintenance.text)}\r\n`);
  t.equal(backends[0]!.text, '');
  const spared = await serving(t, { maintenance: { ...maintenance, except: ['127.0.0.1'] } });
  t.match(await spared.ask(), 'HTTP/1.1 200 ');
});

t.test('who asks more often than allowed is told so, and the route is protected as a whole', async (t) => {
  const client = await serving(t, { limits: { clientPerSecond: 1, clientBurst: 2 } });
  t.match(await client.ask(), 'HTTP/1.1 200 ');
  t.match(await client.ask(), 'HTTP/1.1 200 ');
  t.match(await client.ask(), /^HTTP\/1\.1 429 [\s\S]*Retry-After: 1\r\n/);
  const route = await serving(t, { limits: { perSecond: 1 } });
  t.match(await route.ask(), 'HTTP/1.1 200 ');
  t.match(await route.ask(), 'HTTP/1.1 503 ');
});

t.test('requests in flight are counted until they end', async (t) => {
  const { port, ask, backends } = await serving(t, { limits: { concurrent: 1 } }, { answers: [() => {}] });
  const client = await rawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
  const [connection] = await backends[0]!.connections.until((all) => all.length === 1);
  await connection!.until('\r\n\r\n');
  t.match(await ask(), 'HTTP/1.1 503 ');
  connection!.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await client.until('ok');
  client.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
  await connection!.until('\r\n\r\n', 2);
  client.socket.destroy();
});

t.test('a share of the requests goes to another service, by weight', async (t) => {
  const { ask } = await serving(t, { split: [{ service: toOther, share: 1 }], ownShare: 0 });
  t.match(await ask(), /other$/);
  const half = await serving(t, { split: [{ service: toOther, share: 100 }] });
  const seen = new Set<boolean>();
  for (let n = 0; n < 40 && seen.size < 2; n++) seen.add((await half.ask()).endsWith('other'));
  t.equal(seen.size, 2, 'both get some');
});

t.test('a mirror gets a copy with its content, and its answer is seen by nobody', async (t) => {
  const { ask, backends, other } = await serving(t, { mirror: { service: toOther, percent: 100 } });
  t.match(await ask('POST /m', 'Content-Length: 5\r\n', 'hello'), /ok$/);
  const [copy] = await other.connections.until((all) => all.length === 1);
  t.match(await copy!.until('hello'), /^POST \/m HTTP\/1\.1\r\n[\s\S]*hello$/);
  t.match(backends[0]!.text, /hello$/);
});

t.test('another service decides about access and adds who asks', async (t) => {
  const decide = (recorded: Recorded) => {
    const known = /Authorization: let-me-in/.test(recorded.text.value);
    const yes = 'HTTP/1.1 204 No Content\r\nX-User: ann\r\nX-Other: no\r\n\r\n';
    const no = 'HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 5\r\n\r\nlogin';
    recorded.send(known ? yes : no);
  };
  const auth = new RecordingBackend(decide);
  t.teardown(() => auth.stop());
  const { engine, backends, endpoints, port } = await serveWith(t, [answerEach()]);
  const options = {
    forwardAuth: { service: { appId: '/auth', portIndex: 0 }, path: '/ask', copy: ['X-User', 'X-Role'] },
  };
  const all = [...endpoints, endpoint({ app: '/auth', port: await auth.start() })];
  await engine.apply(buildTable(directory(2, all, [{ ...route(), options }])));
  const ask = async (fields: string) => {
    const client = await rawClient(port);
    client.send(
      `POST /x?y HTTP/1.1\r\nHost: web.test\r\nContent-Length: 2\r\n${fields}Connection: close\r\n\r\nhi`,
    );
    await client.ended.until((ended) => ended);
    client.socket.destroy();
    return client.text.value;
  };
  t.match(await ask('X-User: root\r\n'), /^HTTP\/1\.1 302 [\s\S]*Location: \/login\r\n[\s\S]*login$/i);
  t.equal(backends[0]!.text, '');
  t.match(await ask('Authorization: let-me-in\r\nX-User: root\r\nX-Role: admin\r\n'), 'HTTP/1.1 200 ');
  t.match(
    auth.text,
    /^GET \/ask HTTP\/1\.1\r\n[\s\S]*X-Forwarded-Method: POST\r\nX-Forwarded-Uri: \/x\?y\r\n/,
  );
  t.notMatch(auth.text, 'Content-Length');
  t.match(backends[0]!.text, /\r\nX-User: ann\r\n[\s\S]*\r\n\r\nhi$/i);
  t.notMatch(backends[0]!.text, /root|admin|X-Other/);
});

t.test('content is coded as the client likes it, when it is worth it', async (t) => {
  const page = '<p>hello</p>'.repeat(500);
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: "a"\r\nVary: Cookie\r\n';
  const answers = [
    (recorded: Recorded) => recorded.send(`${head}Content-Length: ${page.length}\r\n\r\n${page}`),
  ];
  const { ask } = await serving(t, { compress: {} }, { answers });
  for (const [accept, coding, decode] of [
    ['gzip', 'gzip', gunzipSync],
    ['gzip;q=0.5, br', 'br', brotliDecompressSync],
    ['gzip, zstd', 'zstd', zstdDecompressSync],
  ] as const) {
    const text = await ask('GET /', `Accept-Encoding: ${accept}\r\n`);
    t.match(
      text,
      new RegExp(`\r\nContent-Encoding: ${coding}\r\nVary: Cookie, Accept-Encoding\r\nETag: W/"a"\r\n`),
    );
    t.notMatch(text, /Content-Length/);
    t.equal(decode(Buffer.from(unchunked(text), 'latin1')).toString(), page);
  }
  t.match(await ask('GET /', 'Accept-Encoding: gzip;q=0\r\n'), /Content-Length: 6000[\s\S]*<\/p>$/);
  t.notMatch(await ask('HEAD /', 'Accept-Encoding: gzip\r\n'), 'Content-Encoding');
});

t.test('a large answer is coded as it comes, at the pace of its client', async (t) => {
  const line = JSON.stringify({ number: 123_456, name: 'a name', more: 'and more' });
  const page = Array.from({ length: 100_000 }, (_, n) => line.replace('123', String(n))).join('');
  const head =
    'HTTP/1.1 200 OK\r\nContent-Type: application/problem+json\r\nTransfer-Encoding: chunked\r\n\r\n';
  const { port } = await serving(
    t,
    { compress: {} },
    { answers: [(recorded) => recorded.send(`${head}${page.length.toString(16)}\r\n${page}\r\n0\r\n\r\n`)] },
  );
  const client = await rawClient(port);
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: web.test\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n');
  await new Promise((resolve) => setImmediate(resolve));
  client.socket.resume();
  await client.ended.until((ended) => ended);
  t.ok(gunzipSync(Buffer.from(unchunked(client.text.value), 'latin1')).toString() === page);
  t.ok(client.text.value.length < page.length / 5);
  client.socket.destroy();
});

t.test('what is small, coded, partial or not to be touched stays as it is', async (t) => {
  const page = 'x'.repeat(3_000);
  for (const more of [
    'Content-Type: image/png\r\n',
    'Content-Type: text/html\r\nContent-Encoding: gzip\r\n',
    'Content-Type: text/html\r\nCache-Control: no-transform\r\n',
    'Content-Type: text/event-stream\r\n',
  ]) {
    const answer = `HTTP/1.1 200 OK\r\n${more}Content-Length: ${page.length}\r\n\r\n${page}`;
    const { ask } = await serving(t, { compress: {} }, { answers: [(recorded) => recorded.send(answer)] });
    t.match(await ask('GET /', 'Accept-Encoding: gzip\r\n'), /Content-Length: 3000[\s\S]*x$/, more);
  }
});

t.test('an answer the route calls worth another try is asked for elsewhere, once', async (t) => {
  const bad = (recorded: Recorded) => recorded.send('HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nbad');
  const retries = { statuses: [503] };
  const { ask } = await serving(
    t,
    { retries, balance: 'round-robin' },
    { answers: [bad, answerEach('good')] },
  );
  for (let n = 0; n < 6; n++) t.match(await ask(), /good$/);
  t.match(await ask('GET /', '', ''), /good$/);
  const post = await serving(t, { retries }, { answers: [bad, bad] });
  t.match(await post.ask('POST /', 'Content-Length: 0\r\n'), /503[\s\S]*bad$/, 'a POST is never sent twice');
  t.match(await post.ask(), /503[\s\S]*bad$/, 'the last answer is the answer');
});

t.test('a route may have less patience than the edge', async (t) => {
  const slow = await serving(t, { timeouts: { firstByteMs: 50 } }, { answers: [() => {}] });
  t.match(await slow.ask(), 'HTTP/1.1 504 ');
  const drip = (recorded: Recorded) => {
    recorded.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
    const timer = setInterval(() => recorded.send('x'), 20);
    recorded.socket.on('close', () => clearInterval(timer));
  };
  const total = await serving(t, { timeouts: { totalMs: 100 } }, { answers: [drip] });
  const client = await rawClient(total.port);
  client.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
  await client.closed.until((closed) => closed);
  t.match(client.text.value, 'HTTP/1.1 200 ');
});

function unchunked(text: string): string {
  let rest = text.slice(text.indexOf('\r\n\r\n') + 4);
  let content = '';
  for (let size = -1; size !== 0; ) {
    const end = rest.indexOf('\r\n');
    size = Number.parseInt(rest.slice(0, end), 16);
    content += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
  return content;
}
