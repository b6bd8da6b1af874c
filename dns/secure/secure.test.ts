import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { decoded, query, TcpSession, udpExchange } from '../testing/client.ts';
import { containerEndpoint, snapshot, vip } from '../testing/directory.ts';
import { runResolver } from '../testing/resolver.ts';
import { edns, OPTION_PADDING, optionBytes } from '../wire/edns.ts';
import { FLAG, TYPE } from '../wire/types.ts';

/** DNS over TLS (RFC 7858) and over HTTPS (RFC 8484). */
const isThere = (program: string) => spawnSync(program, ['--version']).error === undefined;
const skip = isThere('openssl') ? false : 'needs openssl';
const directory = snapshot(1, {
  endpoints: [containerEndpoint('/web', 'a')],
  vips: [vip('/web', ['web.weir'])],
});

function credentials(t: Test, name = 'ns1.mesos') {
  const [cert, key] = ['cert.pem', 'key.pem'].map((file) => join(t.testdir({}), file));
  const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', `/CN=${name}`];
  const files = ['-keyout', key!, '-out', cert!, '-addext', `subjectAltName=DNS:${name}`];
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '2', ...what, ...files], { stdio: 'pipe' });
  return { cert: readFileSync(cert!, 'utf8'), key: readFileSync(key!, 'utf8'), file: cert! };
}

async function secure(t: Test) {
  const { resolver, at } = await runResolver(t, { directory });
  const made = credentials(t);
  const anywhere = { address: '127.0.0.1', port: 0 };
  const bound = await resolver.secure({ tls: anywhere, https: anywhere, credentials: made });
  return { resolver, at, made, tls: bound.tls!, https: bound.https! };
}

t.test('DNS over TLS answers several questions on one connection', { skip }, async (t) => {
  const { tls, made } = await secure(t);
  const socket = connectTls({ host: tls.address, port: tls.port, ca: made.cert, servername: 'ns1.mesos' });
  t.teardown(() => socket.destroy());
  const session = new TcpSession(socket);
  session.send(query('web.weir', 'A', { id: 1 }), query('web.weir', 'AAAA', { id: 2 }));
  t.match(await session.next(), { id: 1, answers: [{ address: '100.127.0.9' }] });
  t.match(await session.next(), { id: 2, answers: [] });
});

t.test(
  'a reply over TLS or HTTPS is as long as whole blocks if the question was filled up',
  { skip },
  async (t) => {
    const { at, tls, https, made } = await secure(t);
    const asked = (code: number) =>
      edns(1232, { options: optionBytes([{ code, data: new Uint8Array(30) }]) });
    const lengthByHttps = async (packet: Buffer) =>
      (await ask(https.port, made.cert, { method: 'POST', type: message, body: packet })).body.length;
    const socket = connectTls({ host: tls.address, port: tls.port, ca: made.cert, servername: 'ns1.mesos' });
    t.teardown(() => socket.destroy());
    const session = new TcpSession(socket);
    const lengthByTls = async (packet: Buffer) => {
      session.send(packet);
      return (await session.nextPacket())!.length;
    };
    for (const length of [lengthByTls, lengthByHttps]) {
      for (const name of ['web.weir', 'nobody.weir', 'example.com'])
        t.equal(await length(query(name, 'A', { edns: asked(OPTION_PADDING) })), 468, name);
      t.ok(
        (await length(query('web.weir', 'A', { edns: asked(65_001) }))) < 100,
        'who did not ask gets none',
      );
    }
    const unfilled = await udpExchange(at, query('web.weir', 'A', { edns: asked(OPTION_PADDING) }));
    t.ok(unfilled.length < 100, 'nor does who asks in the clear');
  },
);

const kdig = skip || (isThere('kdig') ? false : 'needs kdig (knot-dnsutils)');

t.test('kdig verifies the name and asks over TLS and over HTTPS', { skip: kdig }, async (t) => {
  const { tls, https, made } = await secure(t);
  const ask = (port: number, way: string) =>
    new Promise<string>((resolve) => {
      import('node:child_process').then(({ execFile }) => {
        const verify = [`+tls-ca=${made.file}`, '+tls-hostname=ns1.mesos', '+short'];
        const args = ['@127.0.0.1', '-p', String(port), way, ...verify, 'web.weir', 'A'];
        execFile('kdig', args, (_error, out, words) => resolve(out.trim() || words));
      });
    });
  t.equal(await ask(tls.port, '+tls'), '100.127.0.9');
  t.equal(await ask(https.port, '+https'), '100.127.0.9');
});

type Asked = { method?: string; path?: string; type?: string; body?: Uint8Array };

/** Over HTTP/1.1. */
function ask(port: number, ca: string, { method = 'GET', path = '/dns-query', type, body }: Asked) {
  const headers = type === undefined ? {} : { 'content-type': type };
  const options = {
    host: '127.0.0.1',
    port,
    ca,
    servername: 'ns1.mesos',
    method,
    path,
    headers,
    agent: false,
  };
  return new Promise<{ status?: number; headers: object; body: Buffer }>((resolve, reject) => {
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const message = 'application/dns-message';

t.test('DNS over HTTPS takes GET and POST, and says how long an answer may be kept', { skip }, async (t) => {
  const { https, made } = await secure(t);
  const packet = query('web.weir', 'A', { id: 0 });
  const path = `/dns-query?dns=${packet.toString('base64url')}`;
  const post = { method: 'POST', body: packet };
  const types = [message, 'Application/DNS-Message', `${message}; x=y`];
  for (const asked of [{ path }, ...types.map((type) => ({ ...post, type }))]) {
    const { status, headers, body } = await ask(https.port, made.cert, asked);
    t.equal(status, 200);
    t.match(headers, { 'content-type': message, 'cache-control': 'max-age=5' });
    t.match(decoded(body).answers, [{ address: '100.127.0.9' }]);
  }
  const none = query('nobody.weir', 'A', { id: 0 }).toString('base64url');
  const negative = await ask(https.port, made.cert, { path: `/dns-query?dns=${none}` });
  t.match(negative.headers, { 'cache-control': 'max-age=1' });
});

t.test('DNS over HTTPS answers many questions at once over HTTP/2', { skip }, async (t) => {
  const { https, made } = await secure(t);
  const session = connectHttp2(`https://127.0.0.1:${https.port}`, { ca: made.cert, servername: 'ns1.mesos' });
  t.teardown(() => session.destroy());
  const replies = await Promise.all(
    [1, 2, 3].map(async () => {
      const stream = session.request({ ':method': 'POST', ':path': '/dns-query', 'content-type': message });
      stream.end(query('_web._tcp.marathon.mesos', 'SRV', { id: 0 }));
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      return decoded(Buffer.concat(chunks));
    }),
  );
  t.ok(replies.every(({ answers, flags }) => answers.length === 1 && (flags & FLAG.TC) === 0));
});

t.test('DNS over HTTPS says what is wrong with a request', { skip }, async (t) => {
  const { https, made } = await secure(t);
  const body = query('web.weir', 'A');
  const response = Buffer.from(body);
  response.writeUInt16BE(FLAG.QR, 2);
  const table: readonly (readonly [number, Asked])[] = [
    [404, { path: '/' }],
    [400, {}],
    [400, { path: '/dns-query?dns=%%%' }],
    [400, { path: `/dns-query?dns=${response.toString('base64url')}` }],
    [405, { method: 'PUT', type: message, body }],
    [415, { method: 'POST', type: 'text/plain', body }],
    [413, { method: 'POST', type: message, body: new Uint8Array(70_000) }],
  ];
  for (const [status, asked] of table) {
    const said = await ask(https.port, made.cert, asked);
    t.equal(said.status, status, JSON.stringify(asked.method ?? asked.path));
  }
  const malformed = body.subarray(0, 20).toString('base64url');
  const formerr = await ask(https.port, made.cert, { path: `/dns-query?dns=${malformed}` });
  t.equal(formerr.status, 200, 'an error of DNS is said in DNS');
  t.equal(formerr.body.readUInt16BE(2) & 15, 1);
});

t.test('a new certificate is in use without a restart', { skip }, async (t) => {
  const { resolver, tls } = await secure(t);
  const other = credentials(t, 'other.mesos');
  await resolver.secure({ tls, credentials: other });
  const socket = connectTls({ host: tls.address, port: tls.port, ca: other.cert, servername: 'other.mesos' });
  t.teardown(() => socket.destroy());
  const session = new TcpSession(socket);
  session.send(query('web.weir', TYPE.A, { id: 3 }));
  t.equal((await session.next())?.id, 3);
});
