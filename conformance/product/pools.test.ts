import t, { type Test } from 'tap';
import { request } from 'undici';
import { becomes } from '../lab/processes.ts';
import { webServer } from './definitions.ts';
import { engines } from './engines.ts';
import { openHost } from './host.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Json = Readonly<Record<string, unknown>>;

const base = '/service/edgelb/v2/pools';

for (const engine of engines)
  t.test(`Edge-LB pools on the product with the engine ${engine}`, { skip }, (t) => poolsServe(t, engine));

async function poolsServe(t: Test, engine: string): Promise<void> {
  const host = await openHost(t, `pools${engine}`);
  const { api } = await startProduct(host, { flags: ['--edge-engine', engine] });
  for (const name of ['blue', 'green'])
    await api.deploy(webServer(`/shop/${name}`, { instances: 1, greeting: name }));

  const backend = (name: string, more: Json = {}): Json => ({
    ...{ name, protocol: 'HTTP' },
    services: [{ marathon: { serviceID: `/shop/${name}` }, endpoint: { portName: 'http' } }],
    ...more,
  });
  const pool = (name: string, frontends: readonly Json[], backends: readonly Json[]): Json => ({
    ...{ apiVersion: 'V2', name },
    haproxy: { stats: { bindPort: 0 }, frontends, backends },
  });

  /** Until the pool's frontends are open on the edge. */
  async function create(definition: Json) {
    await api.must('POST', base, definition);
    await api.spread();
    type Shown = { readonly frontends: readonly { readonly state: string; readonly port: number }[] };
    const path = `/v1/pools/${definition['name']}`;
    const isOpen = ({ frontends }: Shown) => frontends.every(({ state }) => state.startsWith('open on 1/1'));
    return api.eventually<Shown>(path, isOpen);
  }

  async function ask(port: number, path = '/', name = 'a.example') {
    const answer = await request(`http://127.0.0.1:${port}${path}`, {
      dispatcher: host.tunnel.single,
      headers: { host: name },
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, from: /(\w+)\n$/.exec(text)?.[1] };
  }

  await t.test('rules lead to the services of their backends, the first that fits', async (t) => {
    const map = [
      { hostEq: 'blue.example', backend: 'blue' },
      { pathBeg: '/green', backend: 'green' },
    ];
    await create(
      pool(
        'rules',
        [{ bindPort: 8081, protocol: 'HTTP', linkBackend: { map } }],
        [backend('blue'), backend('green')],
      ),
    );
    t.equal((await ask(8081, '/green', 'BLUE.example:8081')).from, 'blue');
    t.equal((await ask(8081, '/green/1')).from, 'green');
    t.equal((await ask(8081)).status, 503, 'there is no default');
  });

  await t.test('a change is in force at once, and the servers follow their app', async (t) => {
    const frontends = [{ bindPort: 8081, protocol: 'HTTP', linkBackend: { defaultBackend: 'green' } }];
    await api.must('PUT', `${base}/rules`, pool('rules', frontends, [backend('green')]));
    await api.spread();
    t.equal((await ask(8081)).from, 'green');
    await api.must('PUT', '/v2/apps//shop/green', { instances: 0 });
    await api.settled('/shop/green');
    await api.spread();
    t.equal((await ask(8081)).status, 503, 'it has no servers');
    await api.must('PUT', '/v2/apps//shop/green', { instances: 1 });
    await api.settled('/shop/green');
    await api.spread();
    t.equal((await ask(8081)).from, 'green');
  });

  await t.test('a dynamic port is in the metadata, and serves', async (t) => {
    await create(
      pool(
        'dynamic',
        [{ name: 'in', bindPort: 0, protocol: 'HTTP', linkBackend: { defaultBackend: 'blue' } }],
        [backend('blue')],
      ),
    );
    type Metadata = { frontends: { endpoints: { port: number }[] }[] };
    const { frontends } = await api.must<Metadata>('GET', `${base}/dynamic/metadata`);
    const port = frontends[0]?.endpoints[0]?.port ?? 0;
    t.ok(port > 0);
    t.equal((await ask(port)).from, 'blue');
  });

  await t.test('everything is sent to TLS but the exceptions, and TLS is ended here', async (t) => {
    const linkBackend = { defaultBackend: 'blue' };
    await create({
      ...pool(
        'secure',
        [
          {
            bindPort: 8082,
            protocol: 'HTTP',
            redirectToHttps: { except: [{ pathBeg: '/open' }] },
            linkBackend,
          },
          { bindPort: 8444, protocol: 'HTTPS', certificates: ['$AUTOCERT'], linkBackend },
        ],
        [backend('blue')],
      ),
      autoCertificate: true,
    });
    t.match(await ask(8082, '/x'), { status: 307, headers: { location: /^https:\/\/a\.example\/x$/ } });
    t.equal((await ask(8082, '/open')).from, 'blue');
    const url = 'https://a.example:8444/';
    const secure = await host.exec(['curl', '-sk', '--resolve', 'a.example:8444:127.0.0.1', url]);
    t.match(secure.stdout, /blue$/);
  });

  await t.test(
    'servers behind TLS are spoken to with it, and TLS that is not ended goes by server name',
    async (t) => {
      const services = [{ endpoint: { type: 'ADDRESS', address: '127.0.0.1', port: 8444 } }];
      const map = [{ hostEq: 'a.example', backend: 'passed' }];
      await create(
        pool(
          'chain',
          [
            { bindPort: 8085, protocol: 'HTTP', linkBackend: { defaultBackend: 'again' } },
            { bindPort: 8445, protocol: 'TLS', linkBackend: { map } },
          ],
          [
            { name: 'again', protocol: 'HTTPS', services },
            { name: 'passed', protocol: 'TLS', services },
          ],
        ),
      );
      t.equal((await ask(8085)).from, 'blue');
      const through = (name: string) =>
        host.exec([
          'curl',
          '-sk',
          '--max-time',
          '5',
          '--resolve',
          `${name}:8445:127.0.0.1`,
          `https://${name}:8445/`,
        ]);
      t.match((await through('a.example')).stdout, /blue$/);
      t.not((await through('b.example')).exitCode, 0, 'nobody serves that name');
    },
  );

  await t.test('connections of a TCP frontend go to the first entry of its map', async (t) => {
    await create(
      pool(
        'stream',
        [{ bindPort: 8083, protocol: 'TCP', linkBackend: { map: [{ backend: 'green' }] } }],
        [backend('green', { protocol: 'TCP' })],
      ),
    );
    t.equal((await ask(8083)).from, 'green');
  });

  await t.test('apps join the pool of a template by labels', async (t) => {
    const labels = {
      'edgelb.expose': 'true',
      'edgelb.frontend.port': '8084',
      'edgelb.frontend.rules': 'hostEq:auto.example',
    };
    await api.deploy({ ...webServer('/shop/auto', { instances: 1, greeting: 'auto' }), labels });
    await api.spread();
    const serves = await becomes(async () => {
      const answer = await ask(8084, '/', 'auto.example').catch(() => undefined);
      return answer?.from === 'auto';
    }, 10_000);
    t.ok(serves);
    t.equal((await ask(8084, '/', 'other.example')).status, 503);
  });

  await t.test('a pool that is deleted is closed, and its port can be taken', async (t) => {
    t.equal((await api.call('DELETE', `${base}/stream`)).status, 204);
    await api.spread();
    const closed = await becomes(
      async () =>
        ask(8083).then(
          () => false,
          () => true,
        ),
      10_000,
    );
    t.ok(closed);
    const other = pool(
      'later',
      [{ bindPort: 8083, protocol: 'HTTP', linkBackend: { defaultBackend: 'blue' } }],
      [backend('blue')],
    );
    await create(other);
    t.equal((await ask(8083)).from, 'blue');
    const taken = await api.call('POST', base, { ...other, name: 'thief' });
    t.match([taken.status, taken.body], [409, { code: 409, message: /belongs to pool:later/ }]);
  });
}
