import t from 'tap';
import { startMaster } from '../testing/master.ts';

const app = { cmd: 'sleep 100', cpus: 0.1, mem: 16, instances: 0, portDefinitions: [{ port: 0 }] };
const definition = { name: 'db', port: 5432, protocol: 'tcp', app: '/shop/db', portIndex: 0 };

t.test('a listener is added, shown, replaced and removed by its name', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/apps', { ...app, id: '/shop/db' });
  t.equal((await api.call('POST', '/v1/listeners', { body: definition })).status, 201);
  t.equal((await api.call('POST', '/v1/listeners', { body: definition })).status, 201, 'the same again');
  const other = await api.call('POST', '/v1/listeners', { body: { ...definition, port: 5433 } });
  t.equal(other.status, 409);
  t.match(other.body, { message: /'db' exists and is tcp \*:5432/ });
  t.match(await api.must('GET', '/v1/listeners/db'), {
    definition,
    listener: {
      id: 'db',
      owner: 'listener:db',
      port: 5432,
      routes: 1,
      state: 'open on 0/0 edges',
      edges: [],
    },
    faults: [],
  });
  t.match(await api.must('GET', '/v1/routes'), {
    routes: [{ id: 'listener:db', table: 'db', host: '*', service: { appId: '/shop/db' } }],
  });
  t.match(await api.must('GET', '/v1/edge/routes'), {
    listeners: [{ id: 'db', state: 'open on 0/0 edges' }],
  });
  const changed = { ...definition, port: 5433, balance: 'hash' };
  t.equal((await api.call('PUT', '/v1/listeners/db', { body: changed })).status, 200);
  t.match(await api.must('GET', '/v1/listeners'), { listeners: [{ id: 'db', port: 5433 }] });
  t.equal((await api.call('DELETE', '/v1/listeners/db')).status, 204);
  t.match(await api.must('GET', '/v1/listeners'), { listeners: [] });
  t.match(await api.must('GET', '/v1/routes'), { routes: [] });
  t.equal((await api.call('DELETE', '/v1/listeners/db')).status, 404);
});

t.test('a place that belongs to another, and what is not there, are refused', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/apps', { ...app, id: '/shop/db' });
  await api.must('POST', '/v1/listeners', definition);
  const refused = async (body: object) => {
    const { status, body: answer } = await api.call('POST', '/v1/listeners', { body });
    return [status, (answer as { message: string }).message];
  };
  t.same(await refused({ name: 'web', port: 5432, protocol: 'http' }), [
    409,
    'Cannot listen on http *:5432: it belongs to listener:db (tcp *:5432)',
  ]);
  t.match(await refused({ ...definition, name: 'x', port: 1, app: '/none' }), [
    404,
    /'\/none' does not exist/,
  ]);
  t.match(await refused({ name: 'x', port: 1, protocol: 'https', certificates: ['c'] }), [
    404,
    /Certificate 'c'/,
  ]);
  t.match(await refused({ name: 'x', port: 1, protocol: 'gopher' }), [422, /not valid/]);
});
