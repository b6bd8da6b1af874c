import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect, createServer } from 'node:tls';
import t, { type Test } from 'tap';

import { appIdField, appIdTable } from '../core/model/app-id-table.ts';
import type { Route, RouteConditions } from '../core/model/route.ts';
import { scanProxyHeader } from './edge/proxy/proxy-header.ts';
import { buildTable } from './edge/routes/route-table.ts';
import { answerEcho, askFor, fieldOf } from './edge/testing/echo.ts';
import { listener, ownRoute } from './edge/testing/listeners.ts';
import { directory, endpoint, Recorded, RecordingBackend, rawClient, route } from './edge/testing/peers.ts';
import { TestAuthority } from './edge/testing/test-authority.ts';
import type { IngressEngine } from './engine.ts';

/** What every engine does with listeners beside those it was started with. */
export function testListenerContract(name: string, create: () => IngressEngine): void {
  t.test(`${name} gives a listener of http the routes of its table and no others`, async (t) => {
    const { engine, apply } = await setUp(t, create(), ['one']);
    await apply([ownRoute('/one', { host: 'own.test' }), route({ app: '/one', host: 'shared.test' })]);
    await engine.open(listener('http', { table: 'l4' }));
    await engine.open(listener('http', { id: 'shared' }));
    const [own, shared] = ['l4', 'shared'].map((id) => engine.portOf(id)!);
    t.equal((await askFor(own!, { host: 'own.test' })).status, 200);
    t.equal((await askFor(own!, { host: 'shared.test' })).status, 404);
    t.equal((await askFor(shared!, { host: 'shared.test' })).status, 200);
    t.equal((await askFor(shared!, { host: 'own.test' })).status, 404);
    t.equal((await askFor(engine.listening[0]!.port, { host: 'own.test' })).status, 404);
  });

  t.test(`${name} tries the routes of a list in their order, each with all its conditions`, async (t) => {
    const { engine, apply } = await setUp(t, create(), ['one', 'two']);
    await apply([
      listed(0, '/two', {
        conditions: { unless: [{ host: 'a.test', pathBegins: '/open' }, { pathBegins: '/free' }] },
        host: 'guarded.test',
      }),
      listed(1, '/two', { conditions: { hostLike: '^x[0-9]' } }),
      listed(2, '/one', { conditions: { paths: [{ begins: '/ap' }, { ends: '.js' }] } }),
      listed(3, '/two', { conditions: { paths: [{ like: 'v[0-9]+$' }] } }),
      listed(4, '/two', { host: 'late.test' }),
      listed(5, '/one', {}),
      listed(6, '/two', { host: 'never.test' }),
    ]);
    await engine.open(listener('http', { table: 'l4' }));
    for (const [host, path, at] of [
      ['guarded.test', '/', 'two'],
      ['guarded.test', '/free/x', 'one'],
      ['guarded.test:81', '/open', 'two'],
      ['X1.test', '/', 'two'],
      ['ax1.test', '/', 'one'],
      ['b.test', '/app/x.js', 'one'],
      ['late.test', '/app/x.css', 'two'],
      ['late.test', '/api.js', 'one'],
      ['b.test', '/x/v12', 'two'],
      ['never.test', '/', 'one'],
    ] as const)
      t.match((await askFor(engine.portOf('l4')!, { host, path })).body, `at ${at}`, `${host}${path}`);
  });

  t.test(`${name} lets a rank outweigh paths`, async (t) => {
    const { engine, apply } = await setUp(t, create(), ['one', 'two']);
    const at = (app: string, rest: Partial<Route>) => ({
      ...ownRoute(app, rest),
      id: `${app} ${rest.pathPrefix}`,
    });
    await apply([
      at('/two', { pathPrefix: '/api' }),
      at('/one', { pathPrefix: '/', rank: 5 }),
      at('/two', { pathPrefix: '/low', rank: -1 }),
    ]);
    await engine.open(listener('http', { table: 'l4' }));
    for (const path of ['/api', '/low', '/'])
      t.match((await askFor(engine.portOf('l4')!, { host: 'a.test', path })).body, 'at one', path);
  });

  t.test(`${name} holds an exception only for a request that fits all of it`, async (t) => {
    const { engine, apply } = await setUp(t, create(), ['one', 'two']);
    const unless: RouteConditions['unless'] = [{ host: 'a.test', pathBegins: '/open' }, { host: 'b.test' }];
    await apply([listed(0, '/two', { conditions: { unless } }), listed(1, '/one', {})]);
    await engine.open(listener('http', { table: 'l4' }));
    for (const [host, path, at] of [
      ['a.test', '/open/x', 'one'],
      ['a.test', '/', 'two'],
      ['b.test', '/', 'one'],
      ['c.test', '/open', 'two'],
    ] as const)
      t.match((await askFor(engine.portOf('l4')!, { host, path })).body, `at ${at}`, `${host}${path}`);
  });

  t.test(`${name} finds apps by their ids where these stand for hosts`, async (t) => {
    const { engine, apply } = await setUp(t, create(), ['one', 'two']);
    await engine.open(listener('http', { id: appIdTable, table: appIdTable }));
    await apply(['/one', '/two'].map((app) => ({ ...ownRoute(app, { host: app }), table: appIdTable })));
    const at = async (id: string) =>
      (
        await askFor(engine.portOf(appIdTable)!, {
          host: 'a.test',
          path: '/two',
          fields: { [appIdField]: id },
        })
      ).body;
    t.match(await at('/one'), 'at one');
    t.match(await at('/two'), 'at two');
    t.match(await at('/one/more'), '404');
    t.match(await at('!one'), '404');
  });

  t.test(`${name} carries the bytes of a TCP listener both ways, and counts them`, async (t) => {
    const { engine, apply, backends } = await setUp(t, create(), ['one'], echo);
    await apply([ownRoute('/one')]);
    await engine.open(listener('tcp'));
    const client = await rawClient(engine.portOf('l4')!);
    client.send('hello\n');
    t.equal(await client.until('hello\n'), 'hello\n');
    client.socket.end();
    await backends[0]!.connections.value[0]!.ended.until((ended) => ended);
    backends[0]!.connections.value[0]!.socket.end('bye');
    await client.ended.until((ended) => ended);
    t.equal(client.text.value, 'hello\nbye', 'the other half went on');
    const { traffic } = await engine.stats();
    t.match(
      traffic?.listeners.find((one) => one.listener === 'l4'),
      { connections: 1, refused: 0 },
    );
  });

  t.test(`${name} refuses a connection that no route, permission or endpoint is for`, async (t) => {
    const { engine, apply } = await setUp(t, create(), ['one'], echo);
    await engine.open(listener('tcp'));
    await apply([]);
    await isRefused(t, engine.portOf('l4')!);
    await apply([ownRoute('/one', { options: { allow: ['10.0.0.0/8'] } })]);
    await isRefused(t, engine.portOf('l4')!);
    await apply([ownRoute('/none')]);
    await isRefused(t, engine.portOf('l4')!);
  });

  t.test(
    `${name} leads TLS that it does not end by server name, exact before wildcard before the rest`,
    async (t) => {
      const { engine, applyAll } = await setUp(t, create(), []);
      const apps = ['/exact', '/wild', '/rest'];
      const authority = new TestAuthority(t.testdir({}), 'test');
      const ends = await Promise.all(apps.map((app) => tlsServer(t, authority, app)));
      const hosts = ['a.test', '*.test', '*'];
      await engine.open(listener('tls-passthrough'));
      await applyAll(
        ends,
        hosts.map((host, n) => ownRoute(apps[n]!, { host })),
      );
      const port = engine.portOf('l4')!;
      t.equal(await nameSaid(port, 'A.test'), '/exact');
      t.equal(await nameSaid(port, 'x.b.test'), '/wild');
      t.equal(await nameSaid(port, 'other.example'), '/rest');
      t.equal(await nameSaid(port, ''), '/rest');
      const client = new Recorded(connectPlain({ port, host: '127.0.0.1' }));
      client.send('GET / HTTP/1.1\r\n\r\n');
      await client.over();
      t.equal(client.text.value, '', 'what is not TLS');
    },
  );

  t.test(
    `${name} reads PROXY headers where they are expected, and writes them where they are wanted`,
    async (t) => {
      const { engine, apply, backends } = await setUp(t, create(), ['one']);
      await apply([ownRoute('/one', { options: { sendProxy: 'v1' } })]);
      await engine.open(listener('http', { table: 'l4', options: { acceptProxy: ['127.0.0.0/8'] } }));
      const client = await rawClient(engine.portOf('l4')!);
      client.send('PROXY TCP4 203.0.113.7 198.51.100.1 4711 80\r\nGET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
      await client.until('at one');
      const { text } = backends[0]!;
      t.equal(fieldOf(text, 'x-forwarded-for'), '203.0.113.7');
      const scan = scanProxyHeader(Buffer.from(text, 'latin1'));
      t.match(scan, { kind: 'header', ends: { source: { address: '203.0.113.7', port: 4711 } } });
      client.socket.destroy();
      const stranger = await rawClient(engine.listening[0]!.port);
      stranger.send(
        'PROXY TCP4 203.0.113.7 198.51.100.1 4711 80\r\nGET / HTTP/1.1\r\nHost: web.test\r\n\r\n',
      );
      t.match(await stranger.until('\r\n\r\n'), /^HTTP\/1.1 400/);
      stranger.socket.destroy();
    },
  );

  t.test(`${name} takes no more than a listener's most connections`, async (t) => {
    const { engine, apply } = await setUp(t, create(), ['one'], echo);
    await apply([ownRoute('/one')]);
    await engine.open(listener('tcp', { options: { maxConnections: 1 } }));
    const first = await rawClient(engine.portOf('l4')!);
    first.send('x');
    await first.until('x');
    await isRefused(t, engine.portOf('l4')!);
    first.send('y');
    t.equal(await first.until('y'), 'xy');
    first.socket.destroy();
  });

  t.test(`${name} shuts a listener, keeps the others, and opens one there again`, async (t) => {
    const { engine, apply } = await setUp(t, create(), ['one'], echo);
    await apply([ownRoute('/one')]);
    await engine.open(listener('tcp'));
    await engine.open(listener('tcp', { id: 'other', table: 'l4' }));
    const port = engine.portOf('l4')!;
    const other = await rawClient(engine.portOf('other')!);
    other.send('x');
    await other.until('x');
    await engine.shut('l4');
    await t.rejects(rawClient(port), { code: 'ECONNREFUSED' });
    other.send('y');
    t.equal(await other.until('y'), 'xy');
    other.socket.destroy();
    await engine.open(listener('tcp', { port }));
    const again = await rawClient(port);
    again.send('z');
    t.equal(await again.until('z'), 'z');
    again.socket.destroy();
  });

  t.test(
    `${name} sends to the servers of a set by weight, and to backups only when no other is there`,
    async (t) => {
      const { engine, applySet } = await setUp(t, create(), ['one', 'two']);
      await engine.open(listener('http', { table: 'l4' }));
      const at = async () =>
        /^at (\w+)/.exec((await askFor(engine.portOf('l4')!, { host: 'a.test' })).body)?.[1];
      await applySet([{ weight: 20 }, { weight: 10 }]);
      const all = await Promise.all(Array.from({ length: 90 }, at));
      const ones = all.filter((name) => name === 'one').length;
      t.ok(ones > 50 && ones < 70, `${ones} of 90 went to two thirds`);
      await applySet([{ backup: true }, {}]);
      for (let n = 0; n < 6; n++) t.equal(await at(), 'two');
      await applySet([{ backup: true }]);
      t.equal(await at(), 'one');
    },
  );
}

function echo() {
  return (recorded: Recorded) => {
    const { value } = recorded.text;
    recorded.send(value.slice(recorded.answered));
    recorded.answered = value.length;
  };
}

function listed(order: number, app: string, rest: Partial<Route>): Route {
  return { ...ownRoute(app, rest), id: `listed-${order}`, order };
}

async function setUp(
  t: Test,
  engine: IngressEngine,
  names: readonly string[],
  answer: (name: string) => (recorded: Recorded) => void = answerEcho,
) {
  const backends = names.map((name) => new RecordingBackend(answer(name)));
  const ports = await Promise.all(backends.map((backend) => backend.start()));
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await Promise.all(backends.map((backend) => backend.stop()));
  });
  const endpoints = names.map((name, n) => endpoint({ app: `/${name}`, id: name, port: ports[n]! }));
  let revision = 0;
  const applyAll = (all: typeof endpoints, routes: readonly Route[]) =>
    engine.apply(buildTable(directory(++revision, all, [...routes])));
  const applySet = (servers: readonly { readonly weight?: number; readonly backup?: true }[]) => {
    const set = {
      key: 'pool:set',
      sources: servers.map((one, n) => ({ host: '127.0.0.1', port: ports[n]!, ...one })),
    };
    const routed = directory(
      ++revision,
      [],
      [{ ...ownRoute('/x'), service: { appId: set.key, portIndex: 0 } }],
    );
    return engine.apply(buildTable({ ...routed, serverSets: new Map([[set.key, set]]) }));
  };
  const apply = (routes: readonly Route[]) => applyAll(endpoints, routes);
  return { engine, backends, apply, applyAll, applySet };
}

/** The reset may come before the client knows that it is connected. */
async function isRefused(t: Test, port: number): Promise<void> {
  const client = new Recorded(connectPlain({ port, host: '127.0.0.1' }));
  client.send('x');
  await client.over();
  client.socket.destroy();
  t.equal(client.text.value, '');
}

/** A TLS server of the app that says its name. */
async function tlsServer(t: Test, authority: TestAuthority, app: string) {
  const server = createServer(authority.issue('server', 'serverAuth'), (socket) => socket.end(app));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  return endpoint({ app, id: app, port });
}

async function nameSaid(port: number, servername: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
  const said: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => said.push(chunk));
  await once(socket, 'end');
  socket.destroy();
  return Buffer.concat(said).toString();
}
