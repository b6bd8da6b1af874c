import { once } from 'node:events';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { systemClock } from '../../core/kit/clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import { deltaBetween, emptyDirectory } from '../../core/model/directory.ts';
import { EdgeConsumer, type EdgeOptions } from './consumer.ts';
import {
  answerEach,
  directory,
  endpoint,
  Recorded,
  RecordingBackend,
  rawClient,
  route,
} from './testing/peers.ts';
import { DevelopmentAuthority } from './tls/authority.ts';

const get = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';

async function setUp(t: Test, options: EdgeOptions = {}) {
  const authority = new DevelopmentAuthority({ clock: systemClock }, { folder: t.testdir({}) });
  const certificate = (name: string) => authority.certificate(name);
  const edge = new EdgeConsumer(
    { clock: systemClock, log: silentLog, certificate },
    { httpPort: 0, stopMs: 100, ...options },
  );
  const backend = new RecordingBackend(answerEach());
  const backendPort = await backend.start();
  await edge.start();
  t.teardown(async () => {
    await edge.stop();
    await backend.stop();
  });
  const [place] = edge.listening;
  return { edge, authority, backend, backendPort, port: place!.port };
}

async function statusOf(port: number): Promise<string> {
  const client = await rawClient(port);
  client.send(get);
  const text = await client.until('\r\n\r\n');
  client.socket.destroy();
  return text.slice(9, 12);
}

t.test('the edge acknowledges the revision it has in force', async (t) => {
  const { edge, backendPort, port } = await setUp(t);
  const first = directory(4, [endpoint({ port: backendPort })]);
  t.equal(await edge.apply(first), 4);
  t.equal(await statusOf(port), '200');
  const second = { ...directory(5, []), routes: first.routes };
  t.equal(await edge.apply(second, deltaBetween(first, second)), 5);
  t.equal(await statusOf(port), '503');
  t.equal(await edge.apply({ ...second, revision: 6 }), 6, 'a revision that changes nothing');
  t.equal(await edge.apply(directory(2, [])), 2, 'a Directory of another history');
  t.equal(await edge.apply(emptyDirectory), 0);
});

t.test('the edge reports requests to instances that have left, and only those', async (t) => {
  const { edge, port } = await setUp(t);
  const slow = new RecordingBackend(() => {});
  const present = directory(1, [endpoint({ id: 'slow', port: await slow.start() })]);
  t.teardown(() => slow.stop());
  await edge.apply(present);
  const client = await rawClient(port);
  client.send(get);
  const [connection] = await slow.connections.until((all) => all.length === 1);
  await connection!.until('\r\n\r\n');
  t.same(await edge.inFlight(), new Map());
  await edge.apply(directory(2, []));
  t.same(await edge.inFlight(), new Map([['slow', 1]]));
  connection!.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
  await client.until('late');
  t.same(await edge.inFlight(), new Map());
  client.socket.destroy();
});

t.test('the edge is back with its whole Directory after its worker was killed', async (t) => {
  const { edge, backendPort, port } = await setUp(t);
  await edge.apply(directory(4, [endpoint({ port: backendPort })]));
  const reset = Promise.withResolvers<void>();
  edge.onReset(reset.resolve);
  const [pid] = edge.pids;
  process.kill(pid!, 'SIGKILL');
  await reset.promise;
  t.equal(await statusOf(port), '200', 'a client that comes before the next worker waits for it');
  const directoryAfter = directory(5, [endpoint({ port: backendPort })]);
  t.equal(await edge.apply(directoryAfter), 5);
  t.not(edge.pids[0], pid);
});

t.test('the edge settles what was being applied when its worker was killed', async (t) => {
  const { edge, backendPort } = await setUp(t);
  const applied = edge.apply(directory(4, [endpoint({ port: backendPort })]));
  process.kill(edge.pids[0]!, 'SIGKILL');
  t.equal(await applied, 4);
});

t.test('the edge names address and port when it cannot listen', async (t) => {
  const { port } = await setUp(t);
  const second = new EdgeConsumer(
    { clock: systemClock, log: silentLog, certificate: () => Promise.reject(new Error('none')) },
    { httpPort: port },
  );
  await t.rejects(second.start(), {
    code: 'WEIR_PORT_IN_USE',
    address: '127.0.0.1',
    port,
    message: `Cannot listen on 127.0.0.1:${port} (tcp): another process has the port`,
  });
  t.same(second.pids, []);
});

t.test('the edge rejects what it cannot apply any more when it is stopped', async (t) => {
  const { edge } = await setUp(t);
  await edge.stop();
  await t.rejects(edge.apply(directory(1, [])), { code: 'WEIR_EDGE_STOPPED' });
});

t.test('the edge serves with several workers on one port', async (t) => {
  const { edge, backendPort, port } = await setUp(t, { workers: 2 });
  t.equal(await edge.apply(directory(3, [endpoint({ port: backendPort })])), 3);
  t.equal(edge.pids.length, 2);
  for (let n = 0; n < 10; n++) t.equal(await statusOf(port), '200');
});

t.test('the edge speaks TLS with a certificate for the name that is asked for', async (t) => {
  const { edge, authority, backendPort, backend } = await setUp(t, { httpsPort: 0 });
  const routes = [route({ host: 'hello.localhost' })];
  await edge.apply(directory(1, [endpoint({ port: backendPort })], routes));
  const { certificate: ca } = await trusted(authority);
  const https = edge.listening.find((place) => place.scheme === 'https')!;
  for (const [servername, minVersion] of [
    ['hello.localhost', 'TLSv1.3'],
    ['hello.localhost', 'TLSv1.2'],
  ] as const) {
    const options = {
      port: https.port,
      host: '127.0.0.1',
      servername,
      ca,
      ALPNProtocols: ['http/1.1'],
    };
    const socket = connect({ ...options, minVersion, maxVersion: minVersion });
    const client = new Recorded(socket);
    await once(socket, 'secureConnect');
    t.ok(socket.authorized, String(socket.authorizationError));
    t.equal(socket.alpnProtocol, 'http/1.1');
    client.send(get.replace('web.test', 'hello.localhost'));
    t.match(await client.until('ok'), /^HTTP\/1\.1 200 /);
    socket.destroy();
  }
  t.match(backend.text, new RegExp(`X-Forwarded-Proto: https\r\nX-Forwarded-Port: ${https.port}\r\n`));
});

t.test('the edge gives strangers the fallback certificate, and TLS 1.1 nothing', async (t) => {
  const { edge } = await setUp(t, { httpsPort: 0 });
  const https = edge.listening.find((place) => place.scheme === 'https')!;
  const options = { port: https.port, host: '127.0.0.1', rejectUnauthorized: false } as const;
  const socket = connect({ ...options, servername: 'stranger.test' });
  await once(socket, 'secureConnect');
  t.equal(socket.getPeerCertificate().subject.CN, 'localhost');
  socket.destroy();
  const old = connect({ ...options, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
  await t.rejects(once(old, 'secureConnect'));
});

t.test('a given certificate is used, replaced and withdrawn without touching open connections', async (t) => {
  const { edge, authority, backendPort } = await setUp(t, { httpsPort: 0, workers: 2 });
  const given = async (revision: number, ...names: readonly string[]) => {
    const pairs = await Promise.all(
      names.map(async (name) => ({ name, ...(await authority.certificate(name)) })),
    );
    const certificates = pairs.map(({ name, key, cert }, n) => {
      const base = { name, key, chain: cert, hosts: [name], notBefore: 0, notAfter: revision };
      return [name, n === 0 ? { ...base, default: true as const } : base] as const;
    });
    const routes = [route({ host: 'a.test' }), route({ host: 'b.test' })];
    const base = directory(revision, [endpoint({ port: backendPort })], routes);
    await edge.apply({ ...base, certificates: new Map(certificates) });
  };
  const { port } = edge.listening.find((place) => place.scheme === 'https')!;
  const open = async (servername?: string) => {
    const named = servername === undefined ? {} : { servername };
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...named });
    const client = new Recorded(socket);
    await once(socket, 'secureConnect');
    t.teardown(() => socket.destroy());
    return { client, name: socket.getPeerCertificate().subject.CN };
  };
  await given(1, 'first.test', 'b.test');
  const early = await open('b.test');
  t.equal(early.name, 'b.test');
  t.equal((await open('other.test')).name, 'first.test');
  t.equal((await open()).name, 'first.test');
  await given(2, 'second.test');
  t.equal((await open('b.test')).name, 'second.test', 'its own is withdrawn, so the default');
  await t.resolves(
    (async () => {
      while ((await open()).name !== 'second.test');
    })(),
    'a client that names no host gets the new default, too',
  );
  early.client.send(get.replace('web.test', 'b.test'));
  t.match(await early.client.until('ok'), /^HTTP\/1\.1 200 /, 'an open connection goes on');
});

t.test('a session that one worker began is resumed by the others', async (t) => {
  const { edge } = await setUp(t, { httpsPort: 0, workers: 2 });
  const { port } = edge.listening.find((place) => place.scheme === 'https')!;
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'a.test' } as const;
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const first = connect({ ...options, maxVersion });
    const [session] = await once(first, 'session');
    first.destroy();
    for (let n = 0; n < 8; n++) {
      const socket = connect({ ...options, maxVersion, session });
      await once(socket, 'secureConnect');
      t.ok(socket.isSessionReused(), `${maxVersion}, connection ${n}`);
      socket.destroy();
    }
  }
});

async function trusted(authority: DevelopmentAuthority) {
  const { readFile } = await import('node:fs/promises');
  await authority.certificate('localhost');
  return { certificate: await readFile(authority.certificateFile, 'utf8') };
}
