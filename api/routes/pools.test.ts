import t from 'tap';
import { testApp } from '../../core/state/testing/apps.ts';
import { CertificateMaker } from '../testing/certificates.ts';
import { startServer } from '../testing/server.ts';

const pool = {
  apiVersion: 'V2',
  name: 'web-lb',
  count: 1,
  haproxy: {
    frontends: [{ bindPort: 80, protocol: 'HTTP', linkBackend: { defaultBackend: 'web' } }],
    backends: [
      {
        name: 'web',
        protocol: 'HTTP',
        services: [{ marathon: { serviceID: '/web' }, endpoint: { portName: 'http' } }],
      },
    ],
  },
};

const edgelb = '/service/edgelb';

t.test("Edge-LB's clients create, read, update and delete pools", async (t) => {
  const { api } = await startServer(t);
  t.equal((await api.call('GET', `${edgelb}/ping`)).text, 'pong');
  t.match(await api.must('GET', `${edgelb}/version`), { version: /^\d/ });
  const unknown = await api.call('GET', `${edgelb}/v2/nothing`);
  t.match([unknown.status, unknown.body], [404, { code: 404, message: /not found/ }]);
  const created = await api.call('POST', `${edgelb}/v2/pools`, { body: pool });
  t.match(
    [created.status, created.body],
    [200, { name: 'web-lb', namespace: 'dcos-edgelb/pools', cpus: 0.9 }],
  );
  const again = await api.call('POST', `${edgelb}/v2/pools`, { body: pool });
  t.match([again.status, again.body], [409, { code: 409, message: "pool 'web-lb' exists already" }]);
  t.match(await api.must('GET', `${edgelb}/v2/pools`), [{ name: 'web-lb' }]);
  t.match(await api.must('GET', `${edgelb}/v2/config`), { pools: [{ name: 'web-lb' }] });
  const path = `${edgelb}/v2/pools/web-lb`;
  const moved = await api.call('PUT', path, { body: { ...pool, namespace: 'other' } });
  t.match(
    [moved.status, moved.body],
    [400, { code: 400, message: /namespace of pool 'web-lb' cannot be changed/ }],
  );
  const changed = await api.call('PUT', path, { body: { ...pool, count: 2 } });
  t.match(
    [changed.status, changed.body, changed.headers['warning']],
    [200, { count: 2 }, /\/count does nothing/],
  );
  t.match(await api.must('GET', path), { count: 2, haproxy: { stats: { bindPort: 9090 } } });
  t.equal((await api.call('DELETE', path)).status, 204);
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const absent = await api.call(method, path, method === 'PUT' ? { body: pool } : {});
    t.match([absent.status, absent.body], [404, { code: 404, message: "pool 'web-lb' not found" }], method);
  }
});

t.test('a pool that cannot be is refused in the words of whoever asks, and nothing is kept', async (t) => {
  const { api } = await startServer(t);
  const bad = { name: 'Bad', haproxy: { ...pool.haproxy, backends: [] } };
  const edge = await api.call('POST', `${edgelb}/v2/pools`, { body: bad });
  t.match([edge.status, edge.body], [400, { code: 400, message: /pool name 'Bad'.*missing backend 'web'/ }]);
  const own = await api.call('POST', '/v1/pools', { body: bad });
  t.match(
    [own.status, own.body],
    [422, { details: [{ path: '/name' }, { path: '/haproxy/frontends/0/linkBackend' }] }],
  );
  const text = await api.call('POST', `${edgelb}/v2/pools`, {
    body: 'a: [',
    headers: { 'content-type': 'application/yaml' },
  });
  t.match([text.status, text.body], [400, { code: 400, message: /YAML/ }]);
  t.same((await api.must<{ pools: unknown[] }>('GET', '/v1/pools')).pools, []);
});

t.test('a pool may be YAML, and a dynamic port is published and stays', async (t) => {
  const { api } = await startServer(t);
  const yaml = `
name: yaml-lb
haproxy:
  frontends:
    - {name: in, bindPort: 0, protocol: TCP, linkBackend: {defaultBackend: db}}
  backends:
    - name: db
      protocol: TCP
      services: [{endpoint: {type: ADDRESS, address: 10.0.0.1, port: 5432, miscStr: weight 20}}]
`;
  const headers = { 'content-type': 'application/yaml' };
  t.equal((await api.call('POST', '/v1/pools', { body: yaml, headers })).status, 201);
  const { frontends } = await api.must<{ frontends: { port: number }[] }>('GET', '/v1/pools/yaml-lb');
  const port = frontends[0]?.port ?? 0;
  t.ok(port >= 20_000);
  t.match(await api.must('GET', `${edgelb}/v2/pools/yaml-lb/metadata`), {
    name: 'yaml-lb',
    aws: { elbs: [] },
    frontends: [{ name: 'in', endpoints: [{ port }] }],
  });
  t.equal((await api.call('PUT', '/v1/pools/yaml-lb', { body: yaml, headers })).status, 200);
  t.match(await api.must('GET', '/v1/pools/yaml-lb'), {
    frontends: [{ port, protocol: 'tcp' }],
    backends: [{ name: 'db', servers: [{ name: 'address_10.0.0.1_5432', weight: 20 }] }],
  });
  t.match(await api.must('GET', '/v1/routes'), {
    routes: [{ owner: 'pool:yaml-lb', endpoints: 1 }],
    faults: [],
  });
  t.match(await api.must('GET', '/v1/edge/routes'), { routes: [{ owner: 'pool:yaml-lb', endpoints: 1 }] });
  const config = await api.call('GET', `${edgelb}/v2/pools/yaml-lb/lbconfig`);
  t.match(config.text, `bind 0.0.0.0:${port}`);
  t.match(config.text, 'server address_10.0.0.1_5432 10.0.0.1:5432 weight 20');
});

t.test("a port of another pool or listener is refused with its owner's name", async (t) => {
  const { api } = await startServer(t);
  await api.must('POST', '/v1/pools', pool);
  const other = await api.call('POST', `${edgelb}/v2/pools`, { body: { ...pool, name: 'other' } });
  t.match([other.status, other.body], [409, { message: /port|listen/ }]);
  t.match(other.body, { message: /belongs to pool:web-lb/ });
  const listener = { name: 'mine', port: 80, protocol: 'tcp', address: '0.0.0.0' };
  const refused = await api.call('POST', '/v1/listeners', { body: listener });
  t.match([refused.status, refused.body], [409, { message: /belongs to pool:web-lb/ }]);
});

t.test('text templates are kept and shown, and said to do nothing', async (t) => {
  const { api } = await startServer(t);
  await api.must('POST', '/v1/pools', pool);
  const path = `${edgelb}/v2/pools/web-lb/lbtemplate`;
  const text = { body: 'global\n  daemon\n', headers: { 'content-type': 'text/plain' } };
  t.match((await api.call('PUT', path, text)).headers['warning'], /not carried out/);
  t.equal((await api.call('GET', path)).text, text.body);
  t.equal((await api.call('DELETE', path)).status, 204);
  t.equal((await api.call('GET', path)).text, (await api.call('GET', `${edgelb}/v2/lbtemplate`)).text);
  const own = '/v1/pools/web-lb/template';
  t.match(await api.must('PUT', own, { text: 'a' }), { text: 'a', note: /not carried out/ });
  t.match(await api.must('GET', own), { text: 'a' });
  t.equal((await api.call('PUT', own, { body: { text: 1 } })).status, 400);
  t.equal((await api.call('DELETE', own)).status, 204);
  t.equal((await api.call('GET', '/v1/pools/nobody/template')).status, 404);
});

t.test('labels make pools of templates; who conflicts is left out and named', async (t) => {
  const { api, database } = await startServer(t);
  const app = (id: string, labels: Readonly<Record<string, string>>) => {
    const portDefinitions = [{ port: 10_000, protocol: 'tcp', name: 'web', labels: {} }] as const;
    const value = testApp(id, { labels: { 'edgelb.expose': 'true', ...labels }, portDefinitions });
    return { kind: 'put', table: 'apps', key: id, value } as const;
  };
  const rules = { 'edgelb.frontend.rules': 'hostEq:a.test' };
  const team = { ...rules, 'edgelb.template': 'team' };
  await database.commit([app('/a', rules), app('/b', rules), app('/c', team)]);
  t.match(await api.must('GET', `${edgelb}/v2/pools/auto-default`), {
    haproxy: {
      frontends: [{ bindPort: 80, linkBackend: { map: [{ hostEq: 'a.test', backend: 'a___default__' }] } }],
    },
  });
  t.match(await api.must('GET', '/v1/pools/auto-default'), {
    notes: [{ path: '/b', error: /left out: \/a has the same/ }],
  });
  t.equal((await api.call('GET', `${edgelb}/v2/pools/auto-team`)).status, 404, 'there is no such template');
  const template = { name: 'team', haproxy: { stats: { bindPort: 9191 } } };
  await api.must('POST', `${edgelb}/v2/poolTemplates`, template);
  t.match(await api.must('GET', `${edgelb}/v2/poolTemplates`), [{ name: 'default' }, template]);
  t.match(await api.must('GET', `${edgelb}/v2/poolTemplates/default/status`), {
    ...{ status: 'RENDER_ERR', message: /\/b: \/a has the same/ },
    default: { status: 'RENDER_ERR', statuses: { '/b': { message: /the same/ } } },
  });
  t.match(await api.must('GET', `${edgelb}/v2/poolTemplates/team/status`), { status: 'OK' });
  t.match(await api.must('GET', `${edgelb}/v2/pools/auto-team`), { haproxy: { stats: { bindPort: 9191 } } });
  const changed = { haproxy: { stats: { bindPort: 9292 } } };
  t.match(await api.must('PUT', `${edgelb}/v2/poolTemplates/team`, changed), { name: 'team', ...changed });
  t.match(await api.must('GET', `${edgelb}/v2/pools/auto-team`), changed);
  t.match(await api.must('GET', `${edgelb}/v2/poolTemplates/team`), changed);
  const renamed = await api.call('PUT', `${edgelb}/v2/poolTemplates/team`, { body: { name: 'other' } });
  t.match([renamed.status, renamed.body], [400, { message: /cannot be renamed/ }]);
  t.equal((await api.call('PUT', `${edgelb}/v2/poolTemplates/nobody`, { body: {} })).status, 404);
  t.equal((await api.call('DELETE', `${edgelb}/v2/poolTemplates/team`)).status, 204);
});

t.test('certificates come from secrets and from variables, whose keys never come out', async (t) => {
  const { api, database } = await startServer(t, { now: Date.now() + 60_000 });
  const { key, cert } = new CertificateMaker(t.testdir({})).make('shop', { hosts: ['shop.test'] });
  const secure = {
    ...pool,
    secrets: [{ secret: 'team/shop', file: 'shop' }],
    environmentVariables: { ELB_FILE_SHOP: cert + key },
    haproxy: {
      ...pool.haproxy,
      frontends: [
        {
          ...{ bindPort: 443, protocol: 'HTTPS', linkBackend: { defaultBackend: 'web' } },
          certificates: ['$SECRETS/shop', '$ENVFILE/ELB_FILE_SHOP'],
        },
      ],
    },
  };
  const created = await api.call('POST', `${edgelb}/v2/pools`, { body: secure });
  t.match([created.status, created.headers['warning']], [200, /team\.shop.*weir cert add/]);
  t.match(await api.must('GET', '/v1/listeners'), {
    listeners: [{ options: { certificates: ['team.shop', 'pool.web-lb.shop'] } }],
  });
  const kept = () => database.snapshot.table('certificates').get('pool.web-lb.shop');
  t.match(kept(), { hosts: ['shop.test'] });
  const shown = await api.call('GET', `${edgelb}/v2/pools/web-lb`);
  t.notMatch(shown.text + (await api.call('GET', '/v1/pools/web-lb')).text, 'PRIVATE KEY');
  t.equal((await api.call('PUT', `${edgelb}/v2/pools/web-lb`, { body: shown.body })).status, 200);
  t.ok(kept(), 'what was shown can be sent back');
  const bad = { ...secure, environmentVariables: { ELB_FILE_SHOP: 'x' } };
  t.match((await api.call('PUT', `${edgelb}/v2/pools/web-lb`, { body: bad })).status, 400);
  await api.call('DELETE', `${edgelb}/v2/pools/web-lb`);
  t.equal(kept(), undefined);
});

t.test('of clients that create one pool at once, one does and the others are told so', async (t) => {
  const { api } = await startServer(t);
  const calls = Array.from({ length: 5 }, () => api.call('POST', `${edgelb}/v2/pools`, { body: pool }));
  const statuses = (await Promise.all(calls)).map(({ status }) => status).sort();
  t.same(statuses, [200, 409, 409, 409, 409]);
});
