import { once } from 'node:events';
import { connect, createServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { buildTable } from '../routes/route-table.ts';
import { listener, listenWith, ownRoute } from '../testing/listeners.ts';
import { directory, endpoint, rawClient } from '../testing/peers.ts';
import { DevelopmentAuthority } from '../tls/authority.ts';

/** A TLS server of the app that says its name. */
async function tlsServer(t: Test, authority: DevelopmentAuthority, name: string): Promise<number> {
  const server = createServer(await authority.certificate(name), (socket) => socket.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as { port: number }).port;
}

async function setUp(t: Test, hosts: readonly (readonly [host: string, app: string])[]) {
  const { engine, port } = await listenWith(t, listener('tls-passthrough'), {});
  const authority = new DevelopmentAuthority({ clock: systemClock }, { folder: t.testdir({}) });
  const apps = [...new Set(hosts.map(([, app]) => app))];
  const endpoints = await Promise.all(
    apps.map(async (app) => endpoint({ app, id: app, port: await tlsServer(t, authority, app.slice(1)) })),
  );
  await engine.apply(
    buildTable(
      directory(
        2,
        endpoints,
        hosts.map(([host, app]) => ownRoute(app, { host })),
      ),
    ),
  );
  return { engine, port };
}

/** What the server behind says to a client of this name; throws when nobody takes it. */
async function ask(port: number, servername: string): Promise<string> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
  const said: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => said.push(chunk));
  await once(socket, 'end');
  socket.destroy();
  return Buffer.concat(said).toString();
}

t.test('TLS goes to the service of its server name, exact before wildcard before the rest', async (t) => {
  const { port } = await setUp(t, [
    ['a.test', '/a'],
    ['*.test', '/wild'],
    ['*', '/rest'],
  ]);
  t.equal(await ask(port, 'a.test'), 'a');
  t.equal(await ask(port, 'A.TEST'), 'a');
  t.equal(await ask(port, 'x.b.test'), 'wild');
  t.equal(await ask(port, 'other.example'), 'rest');
  t.equal(await ask(port, ''), 'rest', 'a client that names no server');
});

t.test('a name without a route, and what is not TLS, are reset', async (t) => {
  const { engine, port } = await setUp(t, [['a.test', '/a']]);
  await t.rejects(ask(port, 'b.test'), { code: 'ECONNRESET' });
  const client = await rawClient(port);
  client.send('GET / HTTP/1.1\r\n\r\n');
  await client.closed.until((closed) => closed);
  t.equal(client.text.value, '');
  t.match((await engine.stats()).traffic?.listeners, [{ connections: 2, refused: 2 }]);
});

t.test('a hello that comes in pieces is put together', async (t) => {
  const { port } = await setUp(t, [['a.test', '/a']]);
  const hello = await helloFor('a.test');
  const client = await rawClient(port);
  for (const byte of hello) {
    client.socket.write(Buffer.of(byte));
    if (byte % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  // The record of a ServerHello.
  await client.until('\x16\x03\x03');
  client.socket.destroy();
});

/** What a real client would send. */
async function helloFor(servername: string): Promise<Buffer> {
  const { createServer: createPlain } = await import('node:net');
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createPlain((socket) => {
    socket.once('data', (data: Buffer) => {
      resolve(data);
      socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({
    port: (server.address() as { port: number }).port,
    host: '127.0.0.1',
    servername,
  });
  client.on('error', () => {});
  const hello = await promise;
  server.close();
  return hello;
}
