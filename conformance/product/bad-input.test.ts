import t from 'tap';
import { openHost } from './host.ts';
import { startProduct } from './product.ts';
import { known, refusals } from './refusals.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('what cannot be is refused with its place, and changes nothing', { skip }, async (t) => {
  const host = await openHost(t, 'input');
  const { api, ...product } = await startProduct(host);
  await api.deploy(known);
  const before = (await api.call('GET', '/v2/apps')).text;

  for (const { what, method = 'POST', path = '/v2/apps', body, status, at, says } of refusals) {
    const answer = await api.call(method, path, body);
    t.equal(answer.status, status, what);
    t.match(answer.text, says, `${what}: says so`);
    if (at !== undefined) t.match(answer.body, { details: [{ path: at }] }, `${what}: at ${at}`);
    t.match(answer.body, { message: String }, `${what}: has a message`);
  }
  t.equal((await api.call('GET', '/v2/apps')).text, before, 'the apps are as before');
  t.same(await api.must<unknown[]>('GET', '/v2/deployments'), [], 'nothing is under way');

  await t.test('networks as well', async (t) => {
    const network = { name: 'extra', cidr: '100.65.0.0/24', agentPrefix: 28, backend: 'host-gw' };
    const networks = (await api.call('GET', '/v1/networks')).text;
    const bad = [
      { ...network, cidr: '100.65.0.1/24' },
      { ...network, cidr: 'here' },
      { ...network, cidr: '100.64.0.0/20' },
      { ...network, agentPrefix: 20 },
      { ...network, backend: 'carrier-pigeon' },
      { ...network, plugins: [{}] },
      { ...network, plugins: 'all' },
      { ...network, mtu: 'big' },
      { ...network, name: '' },
    ];
    for (const body of bad) {
      const answer = await api.call('POST', '/v1/networks', body);
      t.equal(answer.status, 422, JSON.stringify(body));
      t.match(answer.body, { message: String, details: [{ path: String }] });
    }
    t.equal((await api.call('POST', '/v1/networks', { ...network, name: 'weir' })).status, 409);
    t.equal((await api.call('POST', '/v1/networks', '{')).status, 400);
    t.equal((await api.call('DELETE', '/v1/networks/nowhere')).status, 404);
    t.equal((await api.call('GET', '/v1/networks')).text, networks);
  });

  await t.test('routes as well', async (t) => {
    const bad = [
      { body: { host: 'a b', app: '/there' }, status: 422 },
      { body: { host: 'a.example', app: 'there' }, status: 422 },
      { body: { host: 'a.example', app: '/there', path: 'x' }, status: 422 },
      { body: { host: 'a.example', app: '/there', portIndex: -1 }, status: 422 },
      { body: { host: 'a.example', app: '/nobody' }, status: 404 },
      { body: '{', status: 400 },
    ];
    for (const { body, status } of bad)
      t.equal((await api.call('POST', '/v1/routes', body)).status, status, JSON.stringify(body));
    t.match(await api.must('GET', '/v1/routes'), { routes: { length: 0 } });
  });

  t.same(await product.end('SIGTERM'), { exitCode: 0, signal: null }, 'it is none the worse for it');
});
