import t from 'tap';
import { startFakeMaster } from '../testing/fake-master.ts';
import { weir } from '../testing/weir.ts';

const h1 = {
  ...{ id: 'a1', hostname: 'h1', address: '100.64.0.1', resources: { cpus: 4, mem: 4096 }, edge: false },
  ...{ runtime: 'runc', consumers: [], connected: true, acks: {}, revision: 1, draining: true },
};
const drained = { id: 'a1', hostname: 'h1', draining: true, instances: 2 };
const item = {
  app: { id: '/web' },
  count: 1,
  delay: { timeLeftSeconds: 0, overdue: true },
  refusals: [
    { agentId: 'a1', reason: 'AgentMaintenance', detail: 'h1 is being drained' },
    { agentId: 'a2', reason: 'InsufficientCpus', detail: 'needs 2 cpus, h2 has 1.5 free' },
  ],
};

t.test('weir node drain waits until the machine is empty, and says what holds it back', async (t) => {
  const master = await startFakeMaster({
    'POST /v1/nodes/h1/drain': { body: drained },
    'GET /v1/nodes': [
      { body: { nodes: [{ ...h1, instances: 1 }] } },
      { body: { nodes: [{ ...h1, instances: 0 }] } },
    ],
    'GET /v2/queue': { body: { queue: [item] } },
  });
  t.teardown(() => master.close());
  const { exitCode, stdout, stderr } = await weir(['node', 'drain', 'h1'], { master: master.url });
  t.equal(exitCode, 0);
  t.match(stdout, 'h1 is empty and gets nothing new.');
  t.match(stderr, '1 instance on h1; /web:');
  t.match(stderr, 'needs 2 cpus, h2 has 1.5 free');
});

t.test('weir node list shows who is drained, undrain takes the machine back', async (t) => {
  const master = await startFakeMaster({
    'GET /v1/nodes': {
      body: {
        nodes: [
          { ...h1, instances: 0 },
          { ...h1, hostname: 'h2', instances: 3 },
        ],
      },
    },
    'DELETE /v1/nodes/h1/drain': { body: { ...drained, draining: false } },
    'POST /v1/nodes/h1/drain': { body: drained },
  });
  t.teardown(() => master.close());
  const run = async (...words: string[]) => (await weir(words, { master: master.url })).stdout;
  const list = await run('node', 'list');
  t.match(list, /^h1 .* drained /m);
  t.match(list, /^h2 .* draining /m);
  t.match(await run('node', 'undrain', 'h1'), 'h1 is given instances again.');
  t.match(await run('node', 'drain', 'h1', '--no-wait'), '2 instances on it will move');
});
