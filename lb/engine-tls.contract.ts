import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import t, { type Test } from 'tap';
import type { Certificate } from '../core/model/certificate.ts';
import { applyDelta } from '../core/model/directory.ts';
import type { UpstreamTls } from '../core/model/route.ts';
import { buildTable, type RouteTable } from './edge/routes/route-table.ts';
import { answerEcho, askFor } from './edge/testing/echo.ts';
import { ask, http2Client } from './edge/testing/http2-peers.ts';
import { listener, ownRoute } from './edge/testing/listeners.ts';
import { directory, endpoint, RecordingBackend, route } from './edge/testing/peers.ts';
import { TestAuthority } from './edge/testing/test-authority.ts';
import type { KeyAndCertificate } from './edge/tls/certificates.ts';
import type { IngressEngine } from './engine.ts';

export type TlsEngine = {
  readonly engine: IngressEngine;
  /** In force with the next table. */
  readonly give: (certificates: ReadonlyMap<string, Certificate>) => void;
  /** Is told each table before it is applied. */
  readonly follow?: (table: RouteTable) => void;
};

/** What every engine does with TLS, to clients and to endpoints. `issue` makes certificates for hosts that have none. */
export function testTlsContract(
  name: string,
  create: (issue: (host: string) => Promise<KeyAndCertificate>) => TlsEngine,
): void {
  t.test(
    `${name} shows the certificate of the name that a client asks for, exact before wildcard`,
    async (t) => {
      const { apply, shown } = await setUp(t, create);
      await apply([
        given('one', ['a.test']),
        given('wild', ['*.test']),
        { ...given('usual', ['u.test']), default: true },
      ]);
      t.equal(await shown('a.test'), 'one');
      t.equal(await shown('b.test'), 'wild');
      t.equal(await shown('x.b.test'), 'usual');
      t.equal(await shown(''), 'usual');
    },
  );

  t.test(`${name} exchanges a certificate without an end for who is connected`, async (t) => {
    const { apply, shown, port } = await setUp(t, create);
    await apply([given('one', ['a.test'], 'before')]);
    const client = connect({ ...toEdge(port()), servername: 'a.test' });
    await once(client, 'secureConnect');
    for (const [n, subject] of ['before', 'after'].entries()) {
      if (n > 0) await apply([given('one', ['a.test'], subject)]);
      client.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      const [head] = (await once(client, 'data')) as [Buffer];
      t.match(String(head), /^HTTP\/1.1 200/);
      t.equal(await shown('a.test'), subject);
    }
    client.destroy();
  });

  t.test(`${name} lets a listener choose from its own certificates, and ask for its TLS`, async (t) => {
    const { apply, engine, shown } = await setUp(t, create);
    await apply(['one', 'two', 'three'].map((subject) => given(subject, [`${subject}.test`])));
    const options = { certificates: ['two', 'three'], minTls: '1.3' } as const;
    await engine.open(listener('https', { table: 'l4', options }));
    const at = engine.portOf('l4')!;
    t.equal(await shown('three.test', at), 'three');
    t.equal(await shown('one.test', at), 'two');
    t.equal(await shown('', at), 'two');
    t.equal(await shown('one.test'), 'one');
    await t.rejects(shown('two.test', at, 'TLSv1.2'));
  });

  t.test(`${name} speaks HTTP/2 to clients, over TLS and without`, async (t) => {
    const { apply, engine, port } = await setUp(t, create);
    await apply([given('one', ['web.test'])]);
    const plain = await http2Client(t, engine.listening[0]!.port);
    t.equal((await ask(plain, {})).headers[':status'], 200);
    const { port: at, host, rejectUnauthorized } = toEdge(port());
    const session = connectHttp2(`https://${host}:${at}`, { rejectUnauthorized, servername: 'web.test' });
    t.teardown(() => session.destroy());
    t.equal((await ask(session, {})).headers[':status'], 200);
  });

  t.test(`${name} speaks TLS to endpoints, and takes only those that are who they should be`, async (t) => {
    const authority = new TestAuthority(t.testdir({}), 'inside');
    const stranger = new TestAuthority(t.testdirName, 'stranger');
    const ends = await tlsBackend(t, authority.issue('inside.test', 'serverAuth'));
    const { applyTls, engine } = await setUp(t, create);
    const status = async (tls: UpstreamTls, certificates: readonly Certificate[] = []) => {
      await applyTls(ends.port, tls, certificates);
      return (await askFor(engine.listening[0]!.port, { host: 'web.test' })).status;
    };
    t.equal(await status({ insecure: true }), 200);
    t.equal(await status({ authorities: authority.certificate, serverName: 'inside.test' }), 200);
    t.equal(ends.names.at(-1), 'inside.test', 'it is asked for by name');
    t.ok((await status({ authorities: authority.certificate, serverName: 'else.test' })) >= 502);
    t.ok((await status({ authorities: stranger.certificate, serverName: 'inside.test' })) >= 502);
  });

  t.test(`${name} shows endpoints the certificate that a route names`, async (t) => {
    const authority = new TestAuthority(t.testdir({}), 'inside');
    const ca = authority.certificate;
    const ends = await tlsBackend(t, {
      ...authority.issue('inside.test', 'serverAuth'),
      requestCert: true,
      ca,
    });
    const { applyTls, engine } = await setUp(t, create);
    const tls = { authorities: ca, serverName: 'inside.test', certificate: 'ours' };
    const { key, cert } = authority.issue('the edge', 'clientAuth');
    await applyTls(ends.port, tls, [
      { name: 'ours', key, chain: cert, hosts: [], notBefore: 0, notAfter: 0 },
    ]);
    t.equal((await askFor(engine.listening[0]!.port, { host: 'web.test' })).status, 200);
    t.equal(ends.subjects.at(-1), 'the edge');
  });
}

/** A certificate to be made of what a test's authority issues. */
type Given = Omit<Certificate, 'key' | 'chain'> & { readonly subject: string };

function given(name: string, hosts: readonly string[], subject = name): Given {
  return { name, hosts, subject, notBefore: 0, notAfter: 1 };
}

async function setUp(t: Test, create: Parameters<typeof testTlsContract>[1]) {
  const authority = new TestAuthority(folderOf(t), 'test');
  const { engine, give } = create(async (host) => authority.issue(host, 'serverAuth'));
  const backend = new RecordingBackend(answerEcho('one'));
  const place = endpoint({ id: 'web-1', port: await backend.start() });
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await backend.stop();
  });
  let revision = 0;
  const apply = (wanted: readonly Given[]) => {
    const all = wanted.map(({ subject, ...rest }): Certificate => {
      const { key, cert } = authority.issue(subject, 'serverAuth');
      return { ...rest, key, chain: cert };
    });
    give(new Map(all.map((one) => [one.name, one])));
    const routes = [route(), route({ host: 'a.test' }), ownRoute('/web')];
    return engine.apply(buildTable(directory(++revision, [place], routes)));
  };
  const applyTls = (port: number, tls: UpstreamTls, certificates: readonly Certificate[]) => {
    const routed = directory(++revision, [endpoint({ port })], [{ ...route(), options: { tls } }]);
    const added = { from: revision, revision: ++revision, certificates: { set: certificates, gone: [] } };
    return engine.apply(buildTable(applyDelta(routed, added)));
  };
  const port = () => engine.listening.find(({ scheme }) => scheme === 'https')!.port;
  const shown = async (servername: string, at = port(), maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') => {
    const socket = connect({ ...toEdge(at), servername, maxVersion });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  return { engine, apply, applyTls, shown, port };
}

/** The test's own, made once. */
function folderOf(t: Test): string {
  return existsSync(t.testdirName) ? t.testdirName : t.testdir({});
}

function toEdge(port: number) {
  return { port, host: '127.0.0.1', rejectUnauthorized: false };
}

/** An HTTP server behind TLS that notes by which name it was asked, and by whom. */
async function tlsBackend(t: Test, options: TlsOptions) {
  const names: unknown[] = [];
  const subjects: unknown[] = [];
  const server = createServer(options, (socket: TLSSocket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      names.push(Reflect.get(socket, 'servername'));
      subjects.push(socket.getPeerCertificate()?.subject?.CN);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
      socket.end();
    });
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { names, subjects, port: (server.address() as { port: number }).port };
}
