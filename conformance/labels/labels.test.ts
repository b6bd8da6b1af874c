import t, { type Test } from 'tap';
import { engines } from '../product/engines.ts';
import { type Ask, echoApp, openLabelHost } from './label-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Labels = Readonly<Record<string, string>>;

/** `user:secret`, by `mkpasswd -m sha-256 -S weirsalt secret`. */
const crypted = '$5$weirsalt$ojN6rKRO6imCEpQ5ATmQtwQabzSB8.CbRfGJUlKVrtA';
const basic = { authorization: `Basic ${Buffer.from('user:secret').toString('base64')}` };

/** What each port of the app says, and nothing but: its index is its place here, its service port 10100 more. */
const ports: readonly (Labels | undefined)[] = [
  { VHOST: 'one.test, TWO.test' },
  { VHOST: 'path.test', PATH: '/a /b' },
  { VHOST: 'case.test', PATH: '-i /Case' },
  { VHOST: 'redirect.test', REDIRECT_TO_HTTPS: 'true' },
  { VHOST: 'hsts.test', USE_HSTS: 'true' },
  { VHOST: 'auth.test', AUTH: `my realm:user:${crypted}` },
  { VHOST: 'closed.test', BACKEND_NETWORK_ALLOWED_ACL: '192.0.2.0/24' },
  { VHOST: 'open.test', BACKEND_NETWORK_ALLOWED_ACL: '192.0.2.0/24 127.0.0.0/8 100.64.0.0/10' },
  { VHOST: 'strip.test', HTTP_BACKEND_PROXYPASS_PATH: '/pre' },
  { VHOST: 'location.test', HTTP_BACKEND_REVPROXY_PATH: '/pre' },
  { VHOST: 'root.test', HTTP_BACKEND_REDIR: '/home' },
  { VHOST: 'source.test', BALANCE: 'source' },
  { VHOST: 'weight.test', BACKEND_WEIGHT: '5' },
  { VHOST: 'weight.test', PATH: '/x' },
  { VHOST: 'order.test' },
  { VHOST: 'order.test', PATH: '/x' },
  { MODE: 'http' },
  {},
  { PORT: '12345' },
  { BIND_ADDR: '127.0.0.2' },
  { MODE: 'http', SSL_CERT: '/etc/ssl/cert.pem' },
  { BIND_OPTIONS: 'accept-proxy', MODE: 'http' },
  { VHOST: 'other.test', GROUP: 'internal' },
  { VHOST: 'disabled.test', ENABLED: 'false' },
  { VHOST: 'tcp.test', MODE: 'tcp' },
  { VHOST: 'closed-tcp.test', MODE: 'tcp', BACKEND_NETWORK_ALLOWED_ACL: '192.0.2.0/24' },
  { VHOST: 'typo.test', TYPO: '1', FRONTEND_HEAD: 'frontend x' },
];

const labels = Object.fromEntries(
  ports.flatMap((one, index) =>
    Object.entries(one ?? {}).map(([name, value]) => [`HAPROXY_${index}_${name}`, value]),
  ),
);
const firstPort = 10_100;
const portOf = (index: number) => firstPort + index;

for (const engine of engines)
  t.test(`labels of marathon-lb with the engine ${engine}`, { skip }, (t) => labelsServe(t, engine));

async function labelsServe(t: Test, engine: string): Promise<void> {
  const edge = await openLabelHost(t, `labels${engine}`, { engine });
  const { ask } = edge;
  await edge.deploy(
    echoApp(
      '/shop/all',
      { HAPROXY_GROUP: 'external', ...labels },
      { ports: ports.map((_, index) => portOf(index)), instances: 2 },
    ),
  );
  /** Of the app's ports the one that was asked. */
  const indexOf = async (path: string, how: Ask) => (await ask(path, how)).echo?.index;

  await t.test('HAPROXY_n_VHOST: a list of hosts, in any case', async (t) => {
    for (const host of ['one.test', 'two.test', 'TWO.TEST', 'one.test:8000', 'one.test.'])
      t.equal(await indexOf('/', { host }), 0, host);
    t.equal((await ask('/', { host: 'three.test' })).echo, undefined);
  });

  await t.test('HAPROXY_n_PATH: a list of beginnings, of this case, or with -i of any', async (t) => {
    for (const path of ['/a', '/b/c', '/a?x=1', '/ab'])
      t.equal(await indexOf(path, { host: 'path.test' }), 1, path);
    for (const path of ['/', '/c', '/A'])
      t.equal(await indexOf(path, { host: 'path.test' }), undefined, path);
    for (const path of ['/case', '/CASE/x', '/cASEs'])
      t.equal(await indexOf(path, { host: 'case.test' }), 2, path);
  });

  await t.test('HAPROXY_n_REDIRECT_TO_HTTPS: 301 of what came without TLS', async (t) => {
    const { status, headers } = await ask('/x?y', { host: 'redirect.test' });
    t.match([status, headers['location']], [301, /^https:\/\/redirect\.test(:8443)?\/x\?y$/]);
    t.match(await secure('redirect.test', 8443, '/x'), /"index":3/);
  });

  await t.test('HAPROXY_n_USE_HSTS: over TLS browsers are told to come so again', async (t) => {
    t.match(await secure('hsts.test', 8443), /^strict-transport-security: max-age=15768000\r?$/im);
  });

  await t.test('HAPROXY_n_AUTH: user and crypted password', async (t) => {
    const host = 'auth.test';
    t.match(await ask('/', { host }), {
      status: 401,
      headers: { 'www-authenticate': /Basic realm="my realm"/ },
    });
    t.equal(await indexOf('/', { host, headers: basic }), 5);
    const wrong = { authorization: `Basic ${Buffer.from('user:other').toString('base64')}` };
    t.equal((await ask('/', { host, headers: wrong })).status, 401);
  });

  await t.test(
    'HAPROXY_n_BACKEND_NETWORK_ALLOWED_ACL: 403 for others; without HTTP they are refused',
    async (t) => {
      t.equal((await ask('/', { host: 'closed.test' })).status, 403);
      t.equal(await indexOf('/', { host: 'open.test' }), 7);
      t.equal(await ask('/', { port: portOf(25) }).catch(() => 'refused'), 'refused');
      t.equal((await ask('/', { port: portOf(6) })).status, 403, 'at its own port too');
    },
  );

  await t.test('HAPROXY_n_HTTP_BACKEND_PROXYPASS_PATH: taken off the path; Host is the vhost', async (t) => {
    const { echo } = await ask('/pre/x?y=1', { host: 'strip.test:8000' });
    t.match(echo, { index: 8, url: '/x?y=1', headers: { host: 'strip.test' } });
    t.equal((await ask('/other', { host: 'strip.test' })).echo?.url, '/other');
  });

  await t.test('HAPROXY_n_HTTP_BACKEND_REVPROXY_PATH: put before Location', async (t) => {
    const { headers } = await ask('/?location=/next', { host: 'location.test' });
    t.equal(headers['location'], '/pre/next');
  });

  await t.test('HAPROXY_n_HTTP_BACKEND_REDIR: 301 from exactly / of the vhost', async (t) => {
    t.match(await ask('/', { host: 'root.test' }), { status: 301, headers: { location: /\/home$/ } });
    t.equal(await indexOf('/x', { host: 'root.test' }), 10);
  });

  await t.test(
    'HAPROXY_n_BALANCE: source leads one client to one server, the usual way to all',
    async (t) => {
      const tasksOf = async (host: string) => {
        const tasks = new Set<string | undefined>();
        // One after the other: who has more than its share at a time is passed over.
        for (let n = 0; n < 20; n++) tasks.add((await ask('/', { host })).echo?.task);
        return tasks.size;
      };
      t.equal(await tasksOf('source.test'), 1);
      t.equal(await tasksOf('one.test'), 2);
    },
  );

  await t.test(
    'HAPROXY_n_BACKEND_WEIGHT: the heavier rule goes first, paths before bare hosts',
    async (t) => {
      t.equal(await indexOf('/x', { host: 'order.test' }), 15);
      t.equal(await indexOf('/', { host: 'order.test' }), 14);
      t.equal(await indexOf('/x', { host: 'weight.test' }), 12);
    },
  );

  await t.test('HAPROXY_n_MODE: http or bytes; a host alone means http', async (t) => {
    t.match((await ask('/', { port: portOf(16) })).echo?.headers, { 'x-forwarded-for': /127/ });
    t.match((await ask('/', { port: portOf(0), host: 'any' })).echo, {
      index: 0,
      headers: { 'x-forwarded-for': /127/ },
    });
    const { echo } = await ask('/', { port: portOf(17) });
    t.equal(echo?.index, 17);
    t.notOk('x-forwarded-for' in (echo?.headers ?? {}), 'bytes are passed on as they are');
    t.equal((await ask('/', { host: 'tcp.test' })).echo, undefined);
    t.equal(await indexOf('/', { port: portOf(24) }), 24);
  });

  await t.test('HAPROXY_n_PORT, _BIND_ADDR: where the port is open', async (t) => {
    t.equal(await indexOf('/', { port: 12_345 }), 18);
    t.equal(await ask('/', { port: portOf(18) }).catch(() => 'refused'), 'refused');
    t.equal(await indexOf('/', { port: portOf(19), address: '127.0.0.2' }), 19);
    t.equal(await ask('/', { port: portOf(19) }).catch(() => 'refused'), 'refused');
  });

  await t.test('HAPROXY_n_SSL_CERT: the own port speaks TLS', async (t) => {
    t.match(await secure('any.test', portOf(20)), /"index":20/);
  });

  await t.test('HAPROXY_n_BIND_OPTIONS: accept-proxy', async (t) => {
    const url = `http://127.0.0.1:${portOf(21)}/`;
    const { stdout } = await edge.host.exec(['curl', '-s', '--haproxy-protocol', url]);
    t.match(stdout, /"index":21.*"x-forwarded-for":"127\.0\.0\.1"/);
  });

  await t.test('HAPROXY_n_GROUP, _ENABLED: what is not of the group, or off, is nowhere', async (t) => {
    for (const [index, host] of [
      [22, 'other.test'],
      [23, 'disabled.test'],
    ] as const) {
      t.equal((await ask('/', { host })).echo, undefined);
      t.equal(await ask('/', { port: portOf(index) }).catch(() => 'refused'), 'refused');
    }
  });

  await t.test('an app with an address of its own has a service port too, which is kept', async (t) => {
    const { portDefinitions: _, networks: __, ...app } = echoApp('/shop/own', { HAPROXY_GROUP: 'external' });
    const own = {
      ...{ ...app, cmd: `PORTS=7000 ${app.cmd}`, networks: [{ mode: 'container', name: 'weir' }] },
      container: { ...app.container, portMappings: [{ containerPort: 7_000 }] },
    };
    type Shown = { app: { container: { portMappings: { servicePort: number }[] } } };
    const portNow = async () => {
      const { app } = await edge.api.must<Shown>('GET', '/v2/apps//shop/own');
      return app.container.portMappings[0]?.servicePort ?? 0;
    };
    await edge.api.deploy(own);
    await edge.api.until(own.id, ({ tasksHealthy }) => tasksHealthy === 1);
    await edge.api.spread();
    const port = await portNow();
    t.ok(port >= 10_000 && port < 20_000, `${port}`);
    t.equal((await edge.until('/', { port }, ({ echo }) => echo !== undefined)).echo?.app, '/shop/own');
    await edge.api.must('PUT', '/v2/apps//shop/own', { env: { MORE: '1' } });
    await edge.api.settled('/shop/own');
    t.equal(await portNow(), port);
  });

  await t.test('every label that does nothing is told, and its port is served', async (t) => {
    type Faults = { readonly faults: readonly { app?: string; label?: string; effect: string }[] };
    const { faults } = await edge.api.must<Faults>('GET', '/v1/routes');
    const told = faults
      .filter(({ app }) => app === '/shop/all')
      .map(({ label, effect }) => `${label} ${effect}`);
    t.same(told.filter((one) => one.startsWith('HAPROXY_26')).toSorted(), [
      'HAPROXY_26_FRONTEND_HEAD ignored',
      'HAPROXY_26_TYPO ignored',
    ]);
    t.equal(await indexOf('/', { host: 'typo.test' }), 26);
  });

  /** Head and body of an answer over TLS. */
  async function secure(host: string, port: number, path = '/'): Promise<string> {
    const name = `${host}:${port}:127.0.0.1`;
    const { stdout } = await edge.host.exec([
      'curl',
      '-ski',
      '--resolve',
      name,
      `https://${host}:${port}${path}`,
    ]);
    return stdout;
  }
}
