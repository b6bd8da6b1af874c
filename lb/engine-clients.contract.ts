import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import type { Certificate } from '../core/model/certificate.ts';
import type { ClientCertificate, Route } from '../core/model/route.ts';
import { buildTable } from './edge/routes/route-table.ts';
import { ask } from './edge/testing/http2-peers.ts';
import { answerEach, directory, endpoint, Recorded, RecordingBackend, route } from './edge/testing/peers.ts';
import { TestAuthority } from './edge/testing/test-authority.ts';
import type { KeyAndCertificate } from './edge/tls/certificates.ts';
import type { TlsEngine } from './engine-tls.contract.ts';

type Create = (issue: (host: string) => Promise<KeyAndCertificate>) => TlsEngine;

/** Which hosts a connection of TLS may ask for, and which clients pass by their certificates. */
export function testClientContract(name: string, create: Create): void {
  t.test(`${name} lets clients pass by certificates of the authority, and tells their subject`, async (t) => {
    const { ours, theirs, backend, client } = await setUp(t, create);
    t.equal(await client({}), '403', 'without one');
    t.equal(await client({ by: theirs.issue('eve', 'clientAuth') }), '403', 'of another authority');
    t.equal(await client({ by: ours.issue('web', 'serverAuth') }), '403', 'not for clients');
    t.equal(backend.text, '');
    t.equal(await client({ by: ours.issue('ann', 'clientAuth') }), '200');
    t.match(backend.text, /X-Client-Subject: CN=ann\r\n/i);
    t.notMatch(backend.text, /CN=root/);
  });

  t.test(`${name} tells whatever else of a certificate is asked for, and nobody claims it`, async (t) => {
    const { ours, backend, client, apply } = await setUp(t, create);
    const fields = { issuer: 'X-Issuer', serial: 'X-Serial', fingerprint: 'X-Print', certificate: 'X-Cert' };
    await apply([asking('closed.test', ours, { optional: true, field: 'X-Client-Subject', fields })]);
    const claims = Object.values(fields).map(
      (name) => `${name}: forged\r\n${name.replace('-', '_')}: forged\r\n`,
    );
    t.equal(await client({ claims: claims.join('') }), '200');
    t.notMatch(backend.text, /forged/);
    const ann = ours.issue('ann', 'clientAuth');
    t.equal(await client({ by: ann, claims: claims.join('') }), '200');
    const shown = new X509Certificate(ann.cert);
    const told = (field: string) => new RegExp(`^${field}: (.*)\r$`, 'im').exec(backend.text)?.[1];
    t.equal(told('x-client-subject'), 'CN=ann');
    t.equal(told('x-issuer'), shown.issuer);
    t.equal(told('x-serial'), shown.serialNumber);
    t.equal(told('x-print'), shown.fingerprint256.replaceAll(':', ''));
    t.equal(told('x-cert'), shown.raw.toString('base64'));
    t.notMatch(backend.text, /forged/);
  });

  t.test(
    `${name} lets clients without a certificate pass where it is optional, and none claim a subject`,
    async (t) => {
      const { ours, backend, client, apply } = await setUp(t, create);
      await apply([asking('closed.test', ours, { optional: true })]);
      t.equal(await client({}), '200');
      t.notMatch(backend.text, /client.subject/i);
      t.equal(await client({ by: ours.issue('ann', 'clientAuth') }), '200');
      t.match(backend.text, /X-Client-Subject: CN=ann\r\n/i);
    },
  );

  t.test(
    `${name} takes a certificate for what it is at each host, on connections of their own`,
    async (t) => {
      const { ours, theirs, client } = await setUp(t, create);
      const [ann, eve] = [ours.issue('ann', 'clientAuth'), theirs.issue('eve', 'clientAuth')];
      t.equal(await client({ by: ann, sni: 'open.test' }), '200', 'nobody asks there');
      t.equal(await client({ by: ann, sni: 'open.test', host: 'closed.test' }), '421');
      t.equal(await client({ by: ann, sni: 'other.test' }), '403');
      t.equal(await client({ by: eve, sni: 'other.test' }), '200');
      t.not(await client({ by: eve, sni: 'other.test', host: 'closed.test' }), '200');
      t.equal(await client({ by: ann, sni: 'x.wild.test' }), '200', 'by a wildcard');
      t.equal(await client({ by: eve, sni: 'x.wild.test' }), '403');
    },
  );

  t.test(`${name} takes an authority that another has signed, without those of the other`, async (t) => {
    const { ours, theirs, client, apply, folder } = await setUp(t, create);
    const middle = new TestAuthority(folder, 'middle', ours);
    await apply([asking('closed.test', middle)]);
    t.equal(await client({ by: middle.issue('ann', 'clientAuth') }), '200');
    t.equal(await client({ by: middle.issue('web', 'serverAuth') }), '403');
    t.equal(await client({ by: ours.issue('bob', 'clientAuth') }), '403');
    t.equal(await client({ by: theirs.issue('eve', 'clientAuth') }), '403');
  });

  t.test(`${name} resumes no session for more than its certificate is at that host`, async (t) => {
    const { ours, port } = await setUp(t, create);
    const by = ours.issue('ann', 'clientAuth');
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = await greet(port, { by, sni: 'closed.test', maxVersion });
      t.equal(first.status, '200');
      const { session } = first;
      t.equal((await greet(port, { by, sni: 'closed.test', session, maxVersion })).status, '200');
      t.not((await greet(port, { sni: 'other.test', session, maxVersion })).status, '200', maxVersion);
      const open = await greet(port, { sni: 'open.test', maxVersion });
      t.equal((await greet(port, { sni: 'closed.test', session: open.session, maxVersion })).status, '403');
    }
  });

  t.test(`${name} judges connections that are open by the authorities of now`, async (t) => {
    const { ours, theirs, port, apply } = await setUp(t, create);
    const socket = connect({
      ...toEdge(port),
      servername: 'closed.test',
      ...ours.issue('ann', 'clientAuth'),
    });
    const recorded = new Recorded(socket);
    await once(socket, 'secureConnect');
    recorded.send(requestFor('closed.test'));
    t.match(await recorded.until('\r\n\r\n'), /^HTTP\/1.1 200/);
    await apply([asking('closed.test', theirs)]);
    // One more answer may follow what was in force when the connection was made.
    for (let n = 2; n <= 3 && !socket.destroyed; n++) {
      recorded.send(requestFor('closed.test'));
      await Promise.race([recorded.until('HTTP/1.1', n), recorded.over()]);
    }
    const statuses = [...recorded.text.value.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    t.ok(statuses.filter((status) => status === '200').length <= 2, statuses.join(' '));
    t.not(statuses[2], '200');
    socket.destroy();
    t.equal((await greet(port, { by: ours.issue('ann', 'clientAuth'), sni: 'closed.test' })).status, '403');
    t.equal((await greet(port, { by: theirs.issue('eve', 'clientAuth'), sni: 'closed.test' })).status, '200');
  });

  t.test(`${name} answers 421 for hosts that a connection's certificate is not for`, async (t) => {
    const { client, port, give, apply, ours } = await setUp(t, create);
    const shop = ours.issue('shop', 'serverAuth');
    const hosts = ['*.shop.test'];
    const all = ['a.shop.test', 'B.shop.test', 'made.test'];
    give(
      new Map([
        ['shop', { name: 'shop', key: shop.key, chain: shop.cert, hosts, notBefore: 0, notAfter: 9e12 }],
      ]),
    );
    await apply(all.map((host) => route({ host: host.toLowerCase() })));
    t.equal(await client({ sni: 'a.shop.test' }), '200');
    t.equal(await client({ sni: 'a.shop.test', host: 'B.shop.test:443' }), '200', 'the wildcard is for it');
    t.equal(await client({ sni: 'a.shop.test', host: 'made.test' }), '421');
    t.equal(await client({ sni: 'made.test', host: 'a.shop.test' }), '421');
    t.equal(await client({ sni: '', host: 'made.test' }), '200', 'who names no host');
    const session = connectHttp2(`https://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      servername: 'a.shop.test',
    });
    t.teardown(() => session.destroy());
    t.equal((await ask(session, { ':authority': 'b.shop.test' })).headers[':status'], 200);
    t.equal((await ask(session, { ':authority': 'made.test' })).headers[':status'], 421);
  });
}

function asking(host: string, { certificate }: TestAuthority, more: Partial<ClientCertificate> = {}): Route {
  return { ...route({ host }), options: { clientCertificate: { authorities: certificate, ...more } } };
}

async function setUp(t: Test, create: Create) {
  const folder = t.testdir({});
  const [ours, theirs] = [new TestAuthority(folder, 'a'), new TestAuthority(folder, 'b')];
  const { engine, give, follow } = create(async (host) => ours.issue(host, 'serverAuth'));
  const backend = new RecordingBackend(answerEach());
  const place = endpoint({ port: await backend.start() });
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await backend.stop();
  });
  let revision = 0;
  const apply = (routes: readonly Route[]) => {
    const table = buildTable(directory(++revision, [place], [...routes]));
    follow?.(table);
    return engine.apply(table);
  };
  await apply([
    asking('closed.test', ours),
    asking('other.test', theirs),
    asking('*.wild.test', ours),
    route({ host: 'open.test' }),
  ]);
  const { port } = engine.listening.find(({ scheme }) => scheme === 'https')!;
  const client = async ({ sni = 'closed.test', host = sni, by, claims = '' }: Partial<Greeting>) =>
    (await greet(port, { sni, host, claims, ...(by === undefined ? {} : { by }) })).status;
  return {
    folder,
    ours,
    theirs,
    backend,
    apply,
    port,
    client,
    give: give as (all: ReadonlyMap<string, Certificate>) => void,
  };
}

type Greeting = {
  readonly by?: KeyAndCertificate;
  readonly sni: string;
  readonly host?: string;
  readonly session?: Buffer | undefined;
  /** Further fields, each with its CRLF. */
  readonly claims?: string;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
};

const forged = 'X-Client-Subject: CN=root\r\nx_client_subject: CN=root\r\n';

function requestFor(host: string, claims = ''): string {
  return `GET / HTTP/1.1\r\nHost: ${host}\r\n${forged}${claims}\r\n`;
}

function toEdge(port: number) {
  return { port, host: '127.0.0.1', rejectUnauthorized: false };
}

/** One request on a connection of its own: its status, and the last session that the edge gave. */
async function greet(port: number, greeting: Greeting) {
  const { by, sni, host = sni, session, maxVersion = 'TLSv1.3', claims } = greeting;
  const given = session === undefined ? {} : { session };
  const socket = connect({ ...toEdge(port), servername: sni, maxVersion, ...by, ...given });
  let latest: Buffer | undefined;
  socket.on('session', (one: Buffer) => {
    latest = one;
  });
  const recorded = new Recorded(socket);
  await once(socket, 'secureConnect');
  recorded.send(requestFor(host, claims));
  const status = (await recorded.until('\r\n\r\n')).slice(9, 12);
  socket.destroy();
  return { status, session: latest };
}
