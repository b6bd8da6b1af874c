import t, { type Test } from 'tap';
import { DnsHttpServer } from './http-server.ts';
import { agent, containerEndpoint, snapshot } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';

const directory = snapshot(5, {
  agents: [agent('agent-S1', '100.64.255.1', true)],
  endpoints: [containerEndpoint('/shop/web', 'a'), containerEndpoint('/shop/web', 'b', { ready: false })],
});

async function api(t: Test, of = directory) {
  const { resolver } = await runResolver(t, { directory: of });
  const server = new DnsHttpServer(async (path, from) => resolver.mesos({ path, from }), {
    address: '127.0.0.1',
    port: 0,
  });
  await server.start();
  t.teardown(() => server.stop());
  return async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.bound.port}${path}`, init);
    // JSON: a test looks into it as it likes
    const body = (await response.json()) as Body;
    return { status: response.status, body };
  };
}

type Body = {
  readonly Records: { readonly As: Strings; readonly AAAAs: Strings; readonly SRVs: Strings };
  readonly frameworks: readonly { readonly tasks: readonly { readonly records: readonly object[] }[] }[];
};
type Strings = Readonly<Record<string, readonly string[]>>;

t.test('version and config have the keys of Mesos-DNS', async (t) => {
  const get = await api(t);
  t.same(await get('/v1/version'), {
    status: 200,
    body: { Service: 'Mesos-DNS', URL: 'https://github.com/mesosphere/mesos-dns', Version: 'v0.8.0' },
  });
  const { body } = await get('/v1/config');
  t.match(body, { Domain: 'mesos', TTL: 5, EnumerationOn: true, IPSources: Array });
  t.match(body, { SOAMname: 'ns1.mesos.', SOARname: 'root.ns1.mesos.', SOASerial: 5, SOAMinttl: 1 });
});

t.test(
  'a host gives its addresses, with or without trailing dot, in any case, with a wildcard',
  async (t) => {
    const get = await api(t);
    for (const name of ['web-shop.marathon.mesos', 'WEB-shop.marathon.mesos.', 'web-shop.*.marathon.mesos']) {
      t.same((await get(`/v1/hosts/${name}`)).body, [{ host: 'web-shop.marathon.mesos.', ip: '100.64.1.2' }]);
    }
  },
);

t.test('a service gives target, address and its port as a string', async (t) => {
  const get = await api(t);
  const { body } = await get('/v1/services/_web-shop._tcp.marathon.mesos');
  t.match(body, [
    {
      service: '_web-shop._tcp.marathon.mesos.',
      host: /^web-shop-.*-s1\.marathon\.mesos\.$/,
      ip: '100.64.1.2',
      port: '80',
    },
  ]);
});

t.test('an unknown name gives one element of empty strings', async (t) => {
  const get = await api(t);
  t.same(await get('/v1/hosts/no.mesos'), { status: 200, body: [{ host: '', ip: '' }] });
  const none = [{ service: '', host: '', ip: '', port: '' }];
  t.same(await get('/v1/services/_no._tcp.mesos'), { status: 200, body: none });
});

t.test('a service whose target has both families of addresses is told with each', async (t) => {
  const both = ['100.64.1.2', 'fd00::2'].map((ip) => ({ network: 'weir', ip }));
  const endpoints = [containerEndpoint('/both', 'a', { addresses: both })];
  const get = await api(t, snapshot(5, { endpoints }));
  const { body } = await get('/v1/services/_both._tcp.marathon.mesos');
  t.match(body, [
    { ip: '100.64.1.2', port: '80' },
    { ip: 'fd00::2', port: '80' },
  ]);
});

t.test('enumerate tells the framework though it has no task', async (t) => {
  const get = await api(t, snapshot(5, {}));
  t.same((await get('/v1/enumerate')).body, { frameworks: [{ name: 'marathon', tasks: [] }] });
});

t.test('axfr gives all records of the domain, and no others', async (t) => {
  const get = await api(t);
  const { body } = await get('/v1/axfr');
  t.match(body, { Serial: 5, Domain: 'mesos', Mname: 'ns1.mesos.', Rname: 'root.ns1.mesos.' });
  t.same(body.Records.As['web-shop.marathon.mesos.'], ['100.64.1.2']);
  t.match(body.Records.SRVs['_web-shop._tcp.marathon.mesos.'], [/^web-shop-.*\.marathon\.mesos\.:80$/]);
  const names = Object.values(body.Records).flatMap((group) => Object.keys(group));
  t.ok(names.every((name) => name.endsWith('.mesos.')));
});

t.test('enumerate gives the records of each ready task', async (t) => {
  const get = await api(t);
  const { body } = await get('/v1/enumerate');
  t.match(body, {
    frameworks: [{ name: 'marathon', tasks: [{ name: 'web.shop', id: 'shop_web.instance-a._app.1' }] }],
  });
  t.equal(body.frameworks[0]?.tasks.length, 1);
  t.match(body.frameworks[0]?.tasks[0]?.records[0], {
    name: 'web-shop.marathon.mesos.',
    host: '100.64.1.2',
    rtype: 'A',
  });
});

t.test('what is not there is a 404, ports of hosts a 501, other methods a 405', async (t) => {
  const get = await api(t);
  for (const path of ['/', '/v1', '/v1/nothing', '/v2/version', '/v1/hosts/%']) {
    t.equal((await get(path)).status, 404, path);
  }
  t.equal((await get('/v1/hosts/web.marathon.mesos/ports')).status, 501);
  t.equal((await get('/v1/version', { method: 'POST' })).status, 405);
});

t.test('a source that fails is a 503 with its words', async (t) => {
  const fail = () => Promise.reject(new Error('the worker is away'));
  const server = new DnsHttpServer(fail, { address: '127.0.0.1', port: 0 });
  await server.start();
  t.teardown(() => server.stop());
  const response = await fetch(`http://127.0.0.1:${server.bound.port}/v1/version`);
  t.equal(response.status, 503);
  t.match(await response.json(), { message: 'the worker is away' });
});

t.test('a port in use is a clear error', async (t) => {
  const source = async () => ({ status: 200, body: {} });
  const first = new DnsHttpServer(source, { address: '127.0.0.1', port: 0 });
  await first.start();
  t.teardown(() => first.stop());
  const second = new DnsHttpServer(source, first.bound);
  await t.rejects(second.start(), { code: 'WEIR_PORT_IN_USE', protocol: 'tcp' });
});

t.test('what the resolver counts is there as Prometheus text, or why it is not', async (t) => {
  const { resolver } = await runResolver(t, { directory });
  let isAway = false;
  const metrics = async () => {
    if (isAway) throw new Error('the worker is away');
    return resolver.metrics();
  };
  const at = { address: '127.0.0.1', port: 0 };
  const server = new DnsHttpServer(async (path, from) => resolver.mesos({ path, from }), at, metrics);
  await server.start();
  t.teardown(() => server.stop());
  await resolver.resolve({ name: 'web-shop.marathon.mesos', type: 'A' });
  const get = () => fetch(`http://127.0.0.1:${server.bound.port}/metrics`);
  const response = await get();
  t.match(response.headers.get('content-type'), /^text\/plain/);
  const text = await response.text();
  t.match(text, /^weir_dns_revision 5$/m);
  t.match(text, /^weir_dns_replies_total\{transport="tcp",rcode="NOERROR"\} 1$/m);
  t.match(text, /^weir_dns_directory_age_seconds \d/m);
  isAway = true;
  const failed = await get();
  t.equal(failed.status, 503);
  t.equal(await failed.text(), 'the worker is away\n');
});
