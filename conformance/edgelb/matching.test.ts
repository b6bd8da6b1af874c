import t, { type Test } from 'tap';
import { becomes } from '../lab/processes.ts';
import { echoApp } from '../labels/label-host.ts';
import { engines } from '../product/engines.ts';
import { backend, base, openPoolHost, pool } from './pool-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** Each backend says which it was by a prefix that it puts before the path. */
const named = (name: string) =>
  backend(name, {
    rewriteHttp: { path: { fromPath: '/', toPath: `/${name}/` }, response: { rewriteLocation: false } },
  });

const map = [
  { hostEq: 'eq.test', backend: 'eq' },
  { hostEq: 'both.test', pathBeg: '/in', backend: 'both' },
  { hostReg: '^reg[0-9]+\\.test', backend: 'reg' },
  { hostReg: ':21100$', pathBeg: '/port', backend: 'port' },
  { pathBeg: '/beg', backend: 'beg' },
  { pathEnd: '.png', backend: 'end' },
  { pathReg: '/v[0-9]/', backend: 'pathreg' },
  { pathBeg: '/beg/late', backend: 'late' },
];
const names = [...new Set(map.map((rule) => rule.backend)), 'rest'];
const frontend = (bindPort: number, protocol: string, more: object = {}) => ({
  ...{ bindPort, protocol, ...more },
  linkBackend: { map, defaultBackend: 'rest' },
});

/** Host and path of a request, and the backend that it goes to (ingress.md A5). */
const table = [
  ['eq.test', '/', 'eq'],
  ['EQ.test', '/', 'eq'],
  ['eq.test:21100', '/', 'eq'],
  ['eq.test.', '/', 'eq'],
  ['eqxtest', '/', 'rest'],
  ['a.eq.test', '/', 'rest'],
  ['both.test', '/in/x', 'both'],
  ['both.test', '/out', 'rest'],
  ['other.test', '/in/x', 'rest'],
  ['reg7.test', '/', 'reg'],
  ['REG12.TEST', '/', 'reg'],
  ['reg.test', '/', 'rest'],
  ['any.test:21100', '/port', 'port'],
  ['any.test', '/port', 'rest'],
  ['any.test', '/beginning', 'beg'],
  ['any.test', '/Beg', 'rest'],
  ['any.test', '/?x=/beg', 'rest'],
  ['any.test', '/a.png', 'end'],
  ['any.test', '/a.png?x', 'end'],
  ['any.test', '/a.PNG', 'rest'],
  ['any.test', '/api/v1/x', 'pathreg'],
  ['any.test', '/beg/late', 'beg'],
] as const;

for (const engine of engines)
  t.test(`frontends of HTTP find backends with the engine ${engine}`, { skip }, (t) =>
    frontendsFind(t, engine),
  );

async function frontendsFind(t: Test, engine: string): Promise<void> {
  const edge = await openPoolHost(t, `match${engine}`, engine);
  const { api, ask } = edge;
  await edge.create(
    pool(
      'match',
      [frontend(21_100, 'HTTP'), frontend(21_101, 'HTTPS', { certificates: ['$AUTOCERT'] })],
      names.map(named),
      { autoCertificate: true },
    ),
  );

  for (const [host, path, expected] of table)
    await t.test(`${host} and ${path} lead to ${expected}`, async (t) => {
      t.match((await ask(path, { port: 21_100, host })).echo?.url, new RegExp(`^/${expected}/`));
    });

  await t.test('a frontend of HTTPS compares Host, and the name of the hello agrees with it', async (t) => {
    t.match(await edge.secure('eq.test', 21_101), /"url":"\/eq\//);
    t.match(await edge.secure('both.test', 21_101, '/in'), /"url":"\/both\//);
    t.match(await edge.secure('any.test', 21_101, '/none'), /"url":"\/rest\//);
  });

  await t.test('without a default and without servers the answer is 503', async (t) => {
    const linkBackend = { map: [{ pathBeg: '/none', backend: 'none' }] };
    const services = [{ marathon: { serviceID: '/not/there' }, endpoint: { allPorts: true } }];
    await edge.create(
      pool(
        'empty',
        [{ bindPort: 21_102, protocol: 'HTTP', linkBackend }],
        [{ name: 'none', protocol: 'HTTP', services }],
      ),
    );
    for (const path of ['/none', '/other']) t.equal((await ask(path, { port: 21_102 })).status, 503, path);
  });

  await t.test('services by pattern are those of every app that fits, healthy ones only', async (t) => {
    const services = [{ marathon: { serviceIDPattern: '^/many/' }, endpoint: { portName: 'p0' } }];
    await edge.create(
      pool(
        'many',
        [{ bindPort: 21_103, protocol: 'HTTP', linkBackend: { defaultBackend: 'all' } }],
        [{ name: 'all', protocol: 'HTTP', services }],
      ),
    );
    const check = {
      ...{ protocol: 'MESOS_HTTP', path: '/health', portIndex: 0, intervalSeconds: 1, timeoutSeconds: 2 },
      ...{ gracePeriodSeconds: 1, maxConsecutiveFailures: 0, delaySeconds: 0 },
    };
    await edge.deploy(echoApp('/many/one', {}, { check }));
    await edge.deploy(echoApp('/many/two', {}, { check }));
    const seen = async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => ask('/', { port: 21_103 })));
      return new Set(answers.map(({ echo }) => echo?.app));
    };
    t.same([...(await seen())].toSorted(), ['/many/one', '/many/two']);
    const [task] = await api.tasks('/many/two');
    const { nodes } = await api.must<{ nodes: { address: string }[] }>('GET', '/v1/nodes');
    await ask('/?sick', { port: task?.ports[0] ?? 0, address: nodes[0]?.address ?? '' });
    await api.until('/many/two', ({ tasksUnhealthy }) => tasksUnhealthy === 1);
    await api.spread();
    t.same([...(await seen())], ['/many/one']);
  });

  await t.test('servers of weights 20 and 10 get two of three and one of three, a backup none', async (t) => {
    await edge.deploy(echoApp('/weigh/heavy', {}));
    await edge.deploy(echoApp('/weigh/light', {}));
    const service = (app: string, miscStr: string) => ({
      ...{ marathon: { serviceID: app }, endpoint: { portName: 'p0', miscStr } },
    });
    const services = [
      service('/weigh/heavy', 'weight 20'),
      service('/weigh/light', 'weight 10'),
      service('/many/one', 'backup'),
    ];
    await edge.create(
      pool(
        'weights',
        [{ bindPort: 21_104, protocol: 'HTTP', linkBackend: { defaultBackend: 'all' } }],
        [{ name: 'all', protocol: 'HTTP', services }],
      ),
    );
    const apps: (string | undefined)[] = [];
    for (let n = 0; n < 60; n++) apps.push((await ask('/', { port: 21_104 })).echo?.app);
    const heavy = apps.filter((app) => app === '/weigh/heavy').length;
    t.ok(Math.abs(heavy - 40) <= 2, `${heavy} of 60`);
    t.notOk(apps.includes('/many/one'));
    for (const app of ['/weigh/heavy', '/weigh/light']) {
      await api.must('PUT', `/v2/apps/${app}`, { instances: 0 });
      await api.settled(app);
    }
    t.equal((await ask('/', { port: 21_104 })).echo?.app, '/many/one');
  });

  await t.test('servers are at the agent or at the container, as the endpoint says', async (t) => {
    const { portDefinitions: _, networks: __, ...app } = echoApp('/net/web', {});
    await api.deploy({
      ...{ ...app, cmd: `PORTS=7000 ${app.cmd}`, networks: [{ mode: 'container', name: 'weir' }] },
      container: { ...app.container, portMappings: [{ containerPort: 7_000, hostPort: 0, name: 'web' }] },
    });
    await api.until('/net/web', ({ tasksHealthy }) => tasksHealthy === 1);
    const types = ['AUTO_IP', 'AGENT_IP', 'CONTAINER_IP'];
    const frontends = types.map((name, n) => ({
      ...{ name, bindPort: 21_110 + n, protocol: 'HTTP', linkBackend: { defaultBackend: name } },
    }));
    const backends = types.map((type) => ({
      ...{ name: type, protocol: 'HTTP' },
      services: [{ marathon: { serviceID: '/net/web' }, endpoint: { type, portName: 'web' } }],
    }));
    await edge.create(pool('types', frontends, backends));
    type Shown = { readonly backends: readonly { readonly servers: readonly { name: string }[] }[] };
    const shown = await api.must<Shown>('GET', '/v1/pools/types');
    const kinds = shown.backends.map(({ servers }) => servers.map(({ name }) => name.split('_')[0]).join());
    t.same(kinds, ['containerip', 'agentip', 'containerip']);
    for (const [n, type] of types.entries())
      t.equal((await ask('/', { port: 21_110 + n })).echo?.app, '/net/web', type);
  });

  await t.test('statistics are told where the pool wants them, and where its metadata says', async (t) => {
    type Metadata = { stats: { endpoints: { port: number }[] }[] };
    const { stats } = await api.must<Metadata>('GET', `${base}/match/metadata`);
    const port = stats[0]?.endpoints[0]?.port ?? 0;
    t.ok(port > 0);
    const isServed = await becomes(async () => {
      const page = await ask('/haproxy?stats;csv', { port }).catch(() => undefined);
      return /^rest,BACKEND,/m.test(page?.text ?? '');
    }, 10_000);
    t.ok(isServed);
    await api.must('POST', base, {
      ...pool(
        'stats',
        [{ bindPort: 21_105, protocol: 'HTTP', linkBackend: { defaultBackend: 'b' } }],
        [backend('b')],
      ),
      haproxy: {
        stats: { bindPort: 6_090 },
        frontends: [{ bindPort: 21_105, protocol: 'HTTP', linkBackend: { defaultBackend: 'b' } }],
        backends: [backend('b')],
      },
    });
    await edge.until('/_haproxy_health_check', { port: 6_090 }, ({ status }) => status === 200);
    t.pass('it is open');
  });

  await t.test('pools are created once, changed, shown and removed', async (t) => {
    const definition = pool(
      'life',
      [{ bindPort: 21_106, protocol: 'HTTP', linkBackend: { defaultBackend: 'b' } }],
      [backend('b')],
    );
    const call = async (...[method, path, body]: Parameters<typeof api.call>) =>
      (await api.call(method, `/service/edgelb${path}`, body)).status;
    t.equal(await call('POST', '/v2/pools', definition), 200);
    t.equal(await call('POST', '/v2/pools', definition), 409);
    t.equal(await call('GET', '/v2/pools/life'), 200);
    t.equal(await call('PUT', '/v2/pools/life', { ...definition, count: 2 }), 200);
    t.equal(await call('PUT', '/v2/pools/life', { ...definition, namespace: 'other' }), 400);
    t.equal(await call('PUT', '/v2/pools/nobody', { ...definition, name: 'nobody' }), 404);
    t.equal(await call('POST', '/v2/pools', { ...definition, name: 'Bad' }), 400);
    t.equal(await call('GET', '/v2/pools/life/lbconfig'), 200);
    t.equal(await call('DELETE', '/v2/pools/life'), 204);
    t.equal(await call('DELETE', '/v2/pools/life'), 404);
    t.equal(await call('GET', '/v2/pools/life'), 404);
    t.equal((await api.call('GET', '/service/edgelb/ping')).text, 'pong');
  });
}
