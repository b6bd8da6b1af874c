import t, { type Test } from 'tap';
import { buildTable } from './edge/routes/route-table.ts';
import { answerEach, directory, endpoint, RecordingBackend, rawClient, route } from './edge/testing/peers.ts';
import type { IngressEngine } from './engine.ts';

/** What every ingress engine must do. `create` gives one that listens on any free port of 127.0.0.1. */
export function testEngineContract(name: string, create: () => IngressEngine): void {
  const get = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';

  async function setUp(t: Test, count: number) {
    const engine = create();
    const backends = Array.from({ length: count }, (_, n) => new RecordingBackend(answerEach(`from-${n}.`)));
    const ports = await Promise.all(backends.map((backend) => backend.start()));
    await engine.start();
    t.teardown(async () => {
      await engine.stop();
      await Promise.all(backends.map((backend) => backend.stop()));
    });
    const endpoints = ports.map((port, n) => endpoint({ id: `web-${n}`, port }));
    return { engine, backends, endpoints, port: engine.listening[0]!.port };
  }

  async function statusOf(port: number, request = get): Promise<string> {
    const client = await rawClient(port);
    client.send(request);
    const text = await client.until('\r\n\r\n');
    client.socket.destroy();
    return text.slice(9, 12);
  }

  t.test(`${name} answers 503 before it has a table and by the table afterwards`, async (t) => {
    const { engine, endpoints, port } = await setUp(t, 1);
    t.equal(await statusOf(port), '503');
    t.equal(await engine.apply(buildTable(directory(7, endpoints))), 7);
    t.equal(await statusOf(port), '200');
    t.equal(await statusOf(port, get.replace('web', 'other')), '404');
    t.equal((await engine.stats()).revision, 7);
  });

  t.test(`${name} takes the same table again, and an empty one`, async (t) => {
    const { engine, endpoints, port } = await setUp(t, 1);
    const table = buildTable(directory(7, endpoints));
    t.equal(await engine.apply(table), 7);
    t.equal(await engine.apply(table), 7);
    t.equal(await engine.apply(buildTable(directory(8, [], []))), 8);
    t.equal(await statusOf(port), '404');
  });

  t.test(`${name} sends nothing new to an endpoint once a table without it is in force`, async (t) => {
    const { engine, backends, endpoints, port } = await setUp(t, 2);
    await engine.apply(buildTable(directory(1, endpoints)));
    const client = await rawClient(port);
    for (let n = 1; n <= 6; n++) {
      client.send(get);
      await client.until('from-', n);
    }
    await engine.apply(buildTable(directory(2, endpoints.slice(1))));
    const before = backends[0]!.text;
    for (let n = 7; n <= 12; n++) {
      client.send(get);
      await client.until('from-', n);
    }
    t.ok(before.length > 0, 'it was used before');
    t.equal(backends[0]!.text, before);
    for (const connection of backends[0]!.connections.value) await connection.over();
    client.socket.destroy();
  });

  t.test(
    `${name} lets a request in flight end at an endpoint that has left, and counts it until then`,
    async (t) => {
      const { engine, port } = await setUp(t, 0);
      const slow = new RecordingBackend(() => {});
      const slowEndpoint = endpoint({ id: 'slow', port: await slow.start() });
      t.teardown(() => slow.stop());
      await engine.apply(buildTable(directory(1, [slowEndpoint])));
      const client = await rawClient(port);
      client.send(get);
      const [connection] = await slow.connections.until((all) => all.length === 1);
      await connection!.until('\r\n\r\n');
      await engine.apply(buildTable(directory(2, [])));
      t.same(await engine.inFlight(), new Map([['slow', 1]]));
      connection!.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
      await client.until('late');
      t.same(await engine.inFlight(), new Map());
      await connection!.over();
      client.socket.destroy();
    },
  );

  t.test(`${name} routes by host and by longest prefix`, async (t) => {
    const { engine, backends, port } = await setUp(t, 2);
    const apps = ['/site', '/api'].map((app, n) =>
      endpoint({ app, id: `of${app}`, port: backends[n]!.port }),
    );
    const routes = [route({ app: '/site' }), route({ app: '/api', pathPrefix: '/api' })];
    await engine.apply(buildTable(directory(1, apps, routes)));
    for (const [path, from] of [
      ['/', 0],
      ['/apix', 0],
      ['/api', 1],
      ['/api/x?y', 1],
    ] as const) {
      const client = await rawClient(port);
      client.send(get.replace('GET /', `GET ${path}`));
      t.match(await client.until('from-'), `from-${from}.`, path);
      client.socket.destroy();
    }
  });

  t.test(`${name} can be stopped twice and listens no more`, async (t) => {
    const { engine, port } = await setUp(t, 1);
    await engine.stop();
    await engine.stop();
    await t.rejects(rawClient(port), { code: 'ECONNREFUSED' });
  });
}
