import t from 'tap';
import { startMaster } from './testing/master.ts';

type Nodes = { nodes: { id: string; draining: boolean; instances: number }[] };

const app = { id: '/web', cmd: 'sleep 100', cpus: 0.1, mem: 16, instances: 4 };

t.test('a drained node becomes empty, gets nothing, and is taken back', async (t) => {
  const { api, agent } = await startMaster(t);
  for (const name of ['h1', 'h2']) await agent(name);
  const counts = async () => {
    const { nodes } = await api.must<Nodes>('GET', '/v1/nodes');
    return Object.fromEntries(nodes.map(({ id, instances }) => [id, instances]));
  };
  const draining = async () =>
    (await api.must<Nodes>('GET', '/v1/nodes')).nodes.filter((node) => node.draining).map(({ id }) => id);
  await api.must('POST', '/v2/apps', app);
  await api.settled();
  t.same(await counts(), { h1: 2, h2: 2 });

  t.match(await api.must('POST', '/v1/nodes/h1/drain'), { hostname: 'h1', draining: true });
  t.match(await api.must('POST', '/v1/nodes/h1/drain'), { draining: true }, 'it may be repeated');
  t.same(await draining(), ['h1']);
  while ((await counts()).h1 !== 0) t.ok((await counts()).h2! >= 2);
  t.same(await counts(), { h1: 0, h2: 4 });

  t.match(await api.must('DELETE', '/v1/nodes/h1/drain'), { draining: false, instances: 0 });
  t.same(await draining(), []);
  await api.must('POST', '/v2/apps', { ...app, id: '/other', instances: 2 });
  await api.settled();
  t.ok((await counts()).h1! > 0);
  t.equal((await api.call('POST', '/v1/nodes/none/drain')).status, 404);
});

t.test('agents that ask at the same time get shares of their own of a network', async (t) => {
  const { api, agent } = await startMaster(t);
  const names = Array.from({ length: 12 }, (_, n) => `h${n}`);
  await Promise.all(names.map((name) => agent(name)));
  const shares = await Promise.all(
    names.map((name) => api.must<{ subnet: string }>('POST', `/v1/agents/${name}/leases/weir`)),
  );
  t.equal(new Set(shares.map(({ subnet }) => subnet)).size, names.length, JSON.stringify(shares));
});
