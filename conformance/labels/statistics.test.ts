import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { engines } from '../product/engines.ts';
import { rowsOf } from './csv-rows.ts';
import { echoApp, openLabelHost, statisticsPort } from './label-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

for (const engine of engines)
  t.test(`marathon-lb's pages on port 9090 with the engine ${engine}`, { skip }, (t) => pagesShow(t, engine));

async function pagesShow(t: Test, engine: string): Promise<void> {
  const edge = await openLabelHost(t, `stats${engine}`, { engine });
  const page = (path: string) => edge.ask(path, { port: statisticsPort });
  await edge.deploy(
    echoApp(
      '/shop/web',
      { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'shop.test', HAPROXY_0_STICKY: 'true' },
      { ports: [10_001], instances: 2 },
    ),
  );
  const names = async () => {
    const tasks = await edge.api.tasks('/shop/web');
    const { nodes } = await edge.api.must<{ nodes: { address: string }[] }>('GET', '/v1/nodes');
    const address = nodes[0]?.address ?? '';
    return tasks
      .map(({ host, ports }) => `${host}_${address}_${ports[0]}`.replace(/[^A-Za-z0-9-]/g, '_'))
      .toSorted();
  };

  await t.test('statistics CSV names frontend, backend and servers as marathon-lb does', async (t) => {
    const { text, headers } = await page('/haproxy?stats;csv');
    t.match(headers['content-type'], 'text/plain');
    const rows = rowsOf(text).filter((row) => row.get('pxname') === 'shop_web_10001');
    t.same(
      rows.map((row) => row.get('svname')),
      ['FRONTEND', ...(await names()), 'BACKEND'],
    );
    for (const row of rows.slice(1, -1)) t.match([row.get('status'), row.get('scur')], ['UP', '0']);
    t.ok(text.split('\n').every((line) => line === '' || line.endsWith(',')));
  });

  await t.test('server ids are those of marathon-lb: SHA-256 of the name modulo 32767', async (t) => {
    const servers = rowsOf((await page('/haproxy?stats;csv')).text).filter(
      (row) => row.get('pxname') === 'shop_web_10001' && row.get('type') === '2',
    );
    for (const row of servers) {
      const digest = createHash('sha256')
        .update(row.get('svname') ?? '')
        .digest('hex');
      t.equal(row.get('sid'), String(BigInt(`0x${digest}`) % 32_767n));
    }
    t.equal(servers.length, 2);
  });

  await t.test('a sticky cookie is the first ten digits of SHA-1 of the server name', async (t) => {
    const { headers, echo } = await edge.ask('/', { host: 'shop.test' });
    const value = /^mesosphere_server_id=([0-9a-f]{10});/.exec(String(headers['set-cookie']))?.[1];
    const known = (await names()).map((name) => createHash('sha1').update(name).digest('hex').slice(0, 10));
    t.ok(value !== undefined && known.includes(value));
    for (let n = 0; n < 4; n++) {
      const again = await edge.ask('/', {
        host: 'shop.test',
        headers: { cookie: `a=b; mesosphere_server_id=${value}` },
      });
      t.equal(again.echo?.task, echo?.task);
      t.equal(again.echo?.headers['cookie'], 'a=b', 'the app does not see it');
    }
  });

  await t.test('answers are counted, and requests under way', async (t) => {
    const slow = edge.ask('/?ms=3000', { host: 'shop.test' });
    const counted = await edge.until('/haproxy?stats;csv', { port: statisticsPort }, ({ text }) =>
      rowsOf(text).some((row) => row.get('pxname') === 'shop_web_10001' && row.get('scur') === '1'),
    );
    await slow;
    const backend = rowsOf(counted.text).find((row) => row.get('svname') === 'BACKEND');
    t.ok(Number(backend?.get('hrsp_2xx')) >= 5);
  });

  await t.test('health check, pids, maps and configuration are there', async (t) => {
    t.match(await page('/_haproxy_health_check'), { status: 200 });
    t.match((await page('/_haproxy_getpids')).text, /^\d+$/);
    t.equal((await page('/_haproxy_getvhostmap')).text, 'shop.test shop_web_10001\n');
    t.equal((await page('/_haproxy_getappmap')).text, '/shop/web shop_web_10001\n');
    t.match(
      (await page('/_haproxy_getconfig')).text,
      /^backend shop_web_10001\n.*\n {2}mode http\n {2}server /m,
    );
  });

  await t.test('statistics page and metrics are there; other pages and methods are refused', async (t) => {
    t.match(await page('/haproxy?stats'), { status: 200, text: /shop_web_10001/ });
    t.match((await page('/metrics')).text, /^weir_edge_/m);
    t.equal((await page('/nowhere')).status, 404);
  });

  await t.test('signals are taken', async (t) => {
    for (const signal of ['hup', 'usr1']) {
      t.match(await page(`/_mlb_signal/${signal}`), { status: 200, text: /^Sent SIG/ });
      await edge.api.spread();
      t.equal((await edge.ask('/', { host: 'shop.test' })).status, 200);
    }
  });

  await t.test('an app is reached by X-Marathon-App-Id on 9091, and only by its whole id', async (t) => {
    const by = (id: string) =>
      edge.ask('/x', { port: 9091, host: 'any', headers: { 'X-Marathon-App-Id': id } });
    t.equal((await by('/shop/web')).echo?.app, '/shop/web');
    for (const id of ['/shop/we', '/shop/web2', 'shop.test', '']) t.not((await by(id)).status, 200, id);
    t.not((await edge.ask('/', { port: 9091, host: 'shop.test' })).status, 200);
  });
}
