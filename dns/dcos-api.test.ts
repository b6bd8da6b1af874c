import t, { type Test } from 'tap';
import { dcosMetrics } from './dcos-metrics.ts';
import { DnsHttpServer } from './http-server.ts';
import { agent, containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';

const l4lb = 'web.marathon.l4lb.thisdcos.directory';
const directory = snapshot(5, {
  agents: [agent('agent-S1', '100.64.255.1', true)],
  endpoints: [containerEndpoint('/shop/web', 'a'), containerEndpoint('/shop/web', 'b', { ready: false })],
  vips: [
    vip('/shop/web', ['web.shop.weir', l4lb]),
    vip('/shop/web', [], { key: 'tcp:11.1.2.3:80', address: '11.1.2.3' }),
    vip('/none', ['none.weir']),
  ],
});
const metrics = {
  process: () => 'weir_vip_backends 3\nweir_edge_requests_total 7\n',
  dns: async () => 'weir_dns_revision 5\n',
};

async function api(t: Test) {
  const { resolver } = await runResolver(t, { directory });
  const source = async (path: string, from?: number) =>
    (await dcosMetrics(path, metrics)) ?? resolver.dcos({ path, from });
  const server = new DnsHttpServer(source, { address: '127.0.0.1', port: 0 });
  await server.start();
  t.teardown(() => server.stop());
  return (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.bound.port}${path}`, init);
}

t.test('the version is that of dcos-dns', async (t) => {
  const get = await api(t);
  t.match(await (await get('/v1/version')).json(), { Service: 'dcos-dns', Version: String });
});

t.test('a host gives its addresses, under its aliases too; an unknown one an empty array', async (t) => {
  const get = await api(t);
  const hosts = async (name: string) => (await get(`/v1/hosts/${name}`)).json();
  const auto = 'web-shop.marathon.containerip.dcos.thisdcos.directory';
  t.same(await hosts(auto), [{ host: auto, ip: '100.64.1.2' }]);
  t.same(await hosts('LEADER.mesos.'), [{ host: 'leader.mesos', ip: '100.64.255.1' }]);
  const alias = 'web.marathon.l4lb.thisdcos.global';
  t.same(await hosts(alias), [{ host: alias, ip: '100.127.0.9' }]);
  t.same(await hosts('no.mesos'), []);
});

t.test('a service gives target, address and its port as a number', async (t) => {
  const get = await api(t);
  const service = '_web-shop._tcp.marathon.mesos';
  const host = /^web-shop-.*-s1\.marathon\.mesos$/;
  t.match(await (await get(`/v1/services/${service}`)).json(), [
    { service, host, port: 80, ip: '100.64.1.2' },
  ]);
  t.same(await (await get('/v1/services/_no._tcp.mesos')).json(), []);
});

t.test('records of very many apps come as one list, and questions are answered meanwhile', async (t) => {
  const endpoints = Array.from({ length: 3_000 }, (_, i) => containerEndpoint(`/app-${i}`, 'a'));
  const { resolver } = await runResolver(t, { directory: snapshot(5, { endpoints }) });
  let asked = 0;
  const source = async (path: string, from?: number) => {
    asked += 1;
    return resolver.dcos({ path, from });
  };
  const server = new DnsHttpServer(source, { address: '127.0.0.1', port: 0 });
  await server.start();
  t.teardown(() => server.stop());
  const records = await (await fetch(`http://127.0.0.1:${server.bound.port}/v1/records`)).json();
  if (!Array.isArray(records)) throw new Error('no array');
  const own = records.filter(({ name }) => /^instance-a\.app-\d+\.weir$/.test(name));
  t.equal(new Set(own.map(({ name }) => name)).size, 3_000);
  t.equal(own.length, 3_000);
  t.ok(asked > 10, 'a part at a time');
});

t.test('a list whose source fails in the middle breaks off instead of ending early', async (t) => {
  const source = async (_path: string, from?: number) => {
    if (from !== undefined) throw new Error('gone');
    return { status: 200, open: '[', items: ['{"name":"a.weir"}'], next: 1 } as const;
  };
  const server = new DnsHttpServer(source, { address: '127.0.0.1', port: 0 });
  await server.start();
  t.teardown(() => server.stop());
  await t.rejects(fetch(`http://127.0.0.1:${server.bound.port}/v1/records`).then((reply) => reply.text()));
});

t.test('records are all addresses and services there are', async (t) => {
  const get = await api(t);
  const records: unknown = await (await get('/v1/records')).json();
  if (!Array.isArray(records)) throw new Error('no array');
  const has = (name: string, host: string, rtype: string) =>
    records.some((one) => one.name === name && one.host === host && one.rtype === rtype);
  t.ok(has('web-shop.marathon.mesos', '100.64.1.2', 'A'));
  t.ok(has('_http._tcp.web.shop.weir', 'web.shop.weir:80', 'SRV'));
  t.ok(has('ready.spartan', '127.0.0.1', 'A'));
  t.ok(records.every(({ rtype }) => ['A', 'AAAA', 'SRV'].includes(rtype)));
});

t.test('nodes are the machines, with or without force', async (t) => {
  const get = await api(t);
  for (const path of ['/v1/nodes', '/v1/nodes?force=1']) {
    const updated = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
    const node = { private_ip: '100.64.255.1', public_ips: [], hostname: 'agent-S1', updated };
    t.match(await (await get(path)).json(), [node]);
  }
});

t.test('vips have the backends that take connections, and are asked for again cheaply', async (t) => {
  const get = await api(t);
  const first = await get('/v1/vips');
  const backend = [{ ip: '100.64.1.2', port: 80 }];
  t.same(await first.json(), [
    { vip: `${l4lb}:80`, protocol: 'tcp', backend },
    { vip: '11.1.2.3:80', protocol: 'tcp', backend },
    { vip: 'none.weir:80', protocol: 'tcp', backend: [] },
  ]);
  const etag = first.headers.get('etag') ?? '';
  const again = await get('/v1/vips', { headers: { 'if-none-match': etag } });
  t.equal(again.status, 304);
  t.equal(await again.text(), '');
  t.equal((await get('/v1/vips', { headers: { 'if-none-match': '"other"' } })).status, 200);
});

t.test('metrics are there by registry, and no other registry is', async (t) => {
  const get = await api(t);
  const all = await get('/v1/metrics');
  t.match(all.headers.get('content-type'), /^text\/plain/);
  t.equal(await all.text(), 'weir_vip_backends 3\nweir_edge_requests_total 7\nweir_dns_revision 5\n');
  t.equal(await (await get('/v1/metrics/dns')).text(), 'weir_dns_revision 5\n');
  t.equal(await (await get('/v1/metrics/l4lb')).text(), 'weir_vip_backends 3\n');
  for (const registry of ['default', 'overlay', 'mesos_listener']) {
    t.equal((await get(`/v1/metrics/${registry}`)).status, 200, registry);
  }
  t.equal((await get('/v1/metrics/nothing')).status, 404);
});

t.test('config and enumerate are a 501, what is not there a 404, other methods a 405', async (t) => {
  const get = await api(t);
  for (const path of ['/v1/config', '/v1/enumerate']) t.equal((await get(path)).status, 501, path);
  for (const path of ['/', '/v1', '/v1/axfr', '/v1/hosts', '/v1/hosts/%', '/v1/hosts/a/ports']) {
    t.equal((await get(path)).status, 404, path);
  }
  t.equal((await get('/v1/version', { method: 'POST' })).status, 405);
});
