import t from 'tap';
import { startMaster } from './testing/master.ts';

const run = { cmd: 'sleep 100', cpus: 0.1, mem: 16 };
const volume = { containerPath: 'data', mode: 'RW', persistent: { size: 10 } };
const database = { ...run, container: { type: 'MESOS', volumes: [volume] } };

t.test('the answer to a change says what is not acted on', async (t) => {
  const { api } = await startMaster(t);
  const warningOf = async (method: 'POST' | 'PUT', path: string, body: object) => {
    const { status, headers } = await api.call(method, `${path}?force=true`, { body });
    t.ok(status < 300, `${status}`);
    return [headers['warning'] ?? []].flat();
  };
  t.same(await warningOf('POST', '/v2/apps', { id: '/plain', ...run, gpus: 1 }), []);
  t.same(await warningOf('POST', '/v2/apps', { id: '/term', ...run, tty: true }), [
    '299 weir "tty: the program has no terminal (/term)"',
  ]);
  t.same(await warningOf('PUT', '/v2/apps/term', { instances: 2 }), [
    '299 weir "tty: the program has no terminal (/term)"',
  ]);
  const group = { apps: ['/g/a', '/g/b', '/g/c'].map((id) => ({ id, ...run, tty: true })) };
  t.same(await warningOf('PUT', '/v2/groups/g', group), [
    '299 weir "tty: the program has no terminal (/g/a and 2 more)"',
  ]);
  t.match(await api.must('GET', '/v1/why/term'), { notActedOn: ['tty: the program has no terminal'] });
});

t.test('what is set aside for a resident app cannot be changed', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/apps', { id: '/db', ...database });
  const before = await api.state();
  const larger = { ...volume, persistent: { size: 20 } };
  for (const [body, error] of [
    [{ cpus: 0.2 }, 'Resident Tasks may not change resource requirements!'],
    [{ container: { type: 'MESOS', volumes: [larger] } }, 'Persistent volumes can not be changed!'],
    [{ requirePorts: true }, 'Resident Tasks may not change their host ports!'],
  ] as const) {
    const answer = await api.call('PUT', '/v2/apps/db?force=true', { body });
    t.equal(answer.status, 422);
    t.same(answer.body, { message: 'Object is not valid', details: [{ path: '/', errors: [error] }] });
  }
  t.equal(await api.state(), before);
  t.equal((await api.call('PUT', '/v2/apps/db?force=true', { body: { instances: 2 } })).status, 200);
});

t.test('an app that asks for graphics processors waits for an agent that has them', async (t) => {
  const { api, agent } = await startMaster(t);
  await agent('h1');
  await api.must('POST', '/v2/apps', { id: '/gpu', ...run, gpus: 1 });
  type Queue = {
    queue: { processedOffersSummary: { rejectSummaryLastOffers: { reason: string; declined: number }[] } }[];
  };
  const { queue } = await api.until<Queue>('/v2/queue', ({ queue }) => queue.length > 0);
  const reasons = queue[0]?.processedOffersSummary.rejectSummaryLastOffers.filter(
    ({ declined }) => declined > 0,
  );
  t.match(reasons, [{ reason: 'InsufficientGpus', declined: 1 }]);
});
