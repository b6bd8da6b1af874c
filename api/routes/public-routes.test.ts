import t from 'tap';
import { startMaster } from '../testing/master.ts';

t.test('routes by labels show what they do, and labels that do not work say why', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/apps', {
    id: '/shop/web',
    cmd: 'sleep 100',
    cpus: 0.1,
    mem: 16,
    portDefinitions: [{ port: 0 }, { port: 0 }],
    labels: {
      HAPROXY_GROUP: 'external',
      HAPROXY_0_VHOST: 'shop.example.org',
      HAPROXY_0_REDIRECT_TO_HTTPS: 'true',
      HAPROXY_0_AUTH: `Shop:ann:$5$salt$${'x'.repeat(43)}`,
      HAPROXY_0_BACKEND_HEAD: '  option forceclose',
      HAPROXY_1_VHOST: 'raw.example.org',
      HAPROXY_1_MODE: 'tcp',
    },
  });
  const answer = await api.must('GET', '/v1/routes');
  t.notMatch(JSON.stringify(answer), '$5$');
  t.match(answer, {
    routes: [
      {
        host: 'shop.example.org',
        options: { redirectToHttps: true, auth: { realm: 'Shop', user: 'ann' } },
        endpoints: 0,
      },
    ],
    faults: [
      { app: '/shop/web', label: 'HAPROXY_0_BACKEND_HEAD', effect: 'ignored' },
      { app: '/shop/web', label: 'HAPROXY_1_VHOST', effect: 'ignored', reason: /mode tcp/ },
    ],
  });
});

const app = { cmd: 'sleep 100', cpus: 0.1, mem: 16, instances: 0, portDefinitions: [{ port: 0 }] };

t.test('a route is added, shown, replaced and removed by its id', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/apps', { ...app, id: '/shop/web' });
  const definition = {
    host: 'a.example',
    path: '/x',
    app: '/shop/web',
    portIndex: 0,
    timeouts: { totalMs: 900 },
  };
  t.equal((await api.call('POST', '/v1/routes', { body: definition })).status, 201);
  t.equal(
    (await api.call('POST', '/v1/routes', { body: definition })).status,
    201,
    'the same again changes nothing',
  );
  const other = await api.call('POST', '/v1/routes', { body: { ...definition, timeouts: { totalMs: 800 } } });
  t.equal(other.status, 409);
  t.match(other.body, { message: /'a\.example\/x' exists and leads to \/shop\/web/ });
  t.match(await api.must('GET', '/v1/routes/a.example/x'), {
    definition: { id: 'a.example/x', ...definition },
    route: { id: 'route:a.example/x' },
    endpoints: [],
    faults: [],
  });
  const changed = { ...definition, timeouts: { totalMs: 700 } };
  t.equal((await api.call('PUT', '/v1/routes/a.example/x', { body: changed })).status, 200);
  t.match(await api.must('GET', '/v1/routes/a.example/x'), { definition: changed });
  t.equal((await api.call('PUT', '/v1/routes/mine', { body: { ...definition, path: '/y' } })).status, 201);
  t.equal((await api.call('DELETE', '/v1/routes/a.example/x')).status, 204);
  t.equal((await api.call('GET', '/v1/routes/a.example/x')).status, 404);
  t.match(await api.must('GET', '/v1/routes'), { routes: [{ id: 'route:mine' }] });
});

t.test('a definition is refused with the place of each fault, and changes nothing', async (t) => {
  const { api } = await startMaster(t);
  const answer = await api.call('POST', '/v1/routes', {
    body: { host: 'a b', app: '/a', limits: { perSecond: -1 } },
  });
  t.equal(answer.status, 422);
  t.match(answer.body, { details: [{ path: '/host' }, { path: '/limits/perSecond' }] });
  t.match(await api.must('GET', '/v1/routes'), { routes: { length: 0 } });
});

t.test('a host of one team is refused to another, which is told whose it is', async (t) => {
  const { api } = await startMaster(t);
  const labels = { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'a.example' };
  await api.must('POST', '/v2/apps', { ...app, id: '/shop/web', labels });
  await api.must('POST', '/v2/apps', { ...app, id: '/blog/web', labels });
  const route = await api.call('POST', '/v1/routes', {
    body: { host: 'a.example', path: '/blog', app: '/blog/web' },
  });
  t.equal(route.status, 409);
  t.match(route.body, {
    message: 'Cannot route a.example/blog: a.example belongs to group /shop, by app:/shop/web',
  });
  t.match(await api.must('GET', '/v1/routes'), {
    routes: [{ owner: 'app:/shop/web' }],
    faults: [{ app: '/blog/web', effect: 'no route', reason: /belongs to \/shop.*app:\/shop\/web/ }],
  });
  const own = { host: 'a.example', app: '/shop/web' };
  t.match((await api.call('POST', '/v1/routes', { body: own })).body, {
    message: /already belongs to app:\/shop\/web/,
  });
  t.equal((await api.call('POST', '/v1/routes', { body: { ...own, path: '/own' } })).status, 201);
});
