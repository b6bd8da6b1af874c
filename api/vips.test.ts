import t from 'tap';
import { startMaster } from './testing/master.ts';

type Listed = {
  vip: string;
  protocol: string;
  address: string;
  backend: { ip: string; port: number; weight: number; node: string }[];
  apps: string[];
  balance: string;
  affinitySeconds?: number;
};
type Fault = { app: string; key: string; value: string; reason: string };

const port = {
  port: 0,
  protocol: 'tcp,udp',
  labels: { VIP_0: '/api:80', VIP_1: 'api', vip_2: '11.9.8.7:81' },
};
const app = {
  id: '/shop/web',
  cmd: 'sleep 100',
  cpus: 0.1,
  mem: 16,
  instances: 2,
  portDefinitions: [port],
  labels: { WEIR_VIP_BALANCE: 'fastest', WEIR_VIP_AFFINITY: '600', vip_PORT3: 'tcp://old:80' },
};

t.test('virtual IPs are listed as DC/OS lists them, with what each backend takes', async (t) => {
  const { api, agent } = await startMaster(t);
  await agent('h1');
  await api.must('POST', '/v2/apps', app);
  await api.settled();
  const vips = await api.must<Listed[]>('GET', '/v1/vips');
  t.same(vips.map(({ vip, protocol }) => `${protocol} ${vip}`).sort(), [
    'tcp 11.9.8.7:81',
    'tcp api.marathon.l4lb.thisdcos.directory:80',
    'tcp web.shop.weir:10000',
    'udp 11.9.8.7:81',
    'udp api.marathon.l4lb.thisdcos.directory:80',
    'udp web.shop.weir:10000',
  ]);
  for (const { backend, apps, affinitySeconds } of vips) {
    t.equal(affinitySeconds, 600);
    t.match(backend, [
      { weight: 1, node: 'h1' },
      { weight: 1, node: 'h1' },
    ]);
    t.type(backend[0]?.ip, 'string');
    t.same(apps, ['/shop/web']);
  }

  const faults = await api.must<{ faults: Fault[] }>('GET', '/v1/vips/faults');
  t.match(faults.faults, [
    { app: '/shop/web', key: 'VIP_1', value: 'api', reason: /no port/ },
    { key: 'vip_PORT3', reason: 'the app has no port 3' },
    { key: 'WEIR_VIP_BALANCE', value: 'fastest', reason: /one of random/ },
  ]);
});

t.test('the ETag of the list stays while nothing changes, and changes with a backend', async (t) => {
  const { api, agent, url } = await startMaster(t);
  await agent('h1');
  await api.must('POST', '/v2/apps', app);
  await api.settled();
  const ask = (headers: Record<string, string> = {}) => fetch(`${url}/v1/vips`, { headers });
  const first = await ask();
  const tag = first.headers.get('etag') ?? '';
  t.match(tag, /^"[\w+/=]+"$/);
  const second = await ask({ 'if-none-match': tag });
  t.equal(second.status, 304);
  t.equal(await second.text(), '');
  await api.must('PUT', '/v2/apps/shop/web', { instances: 3 });
  await api.settled();
  const third = await ask({ 'if-none-match': tag });
  t.equal(third.status, 200);
  t.not(third.headers.get('etag'), tag);
});

t.test('one virtual IP is found by its names, address and app, with what each node says', async (t) => {
  const { api, agent } = await startMaster(t);
  await (await agent('h1')).leave();
  await api.must('POST', '/v2/apps', app);
  const [own] = await api.must<Listed[]>('GET', '/v1/vips');
  for (const name of ['web.shop.weir', 'WEB.shop.weir.', 'web.shop.weir:10000', 'shop/web', own?.address]) {
    const found = await api.must<{ vips: Listed[] }>('GET', `/v1/vips/${name}`);
    t.ok(found.vips.length > 0, `${name}`);
  }
  const detail = await api.must<{ vips: Listed[] }>('GET', '/v1/vips/shop/web');
  t.match(detail, { nodes: [{ node: 'h1', revision: 0, problem: 'it is not connected' }] });
  t.match(detail, { faults: [{ key: 'VIP_1' }, {}, {}] });
  t.equal((await api.call('GET', '/v1/vips/none.weir')).status, 404);
});
