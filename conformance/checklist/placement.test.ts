import t from 'tap';
import { startCluster } from '../product/cluster.ts';
import { sleeper } from './sleeper.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Queue = {
  readonly queue: readonly {
    readonly app: { readonly id: string };
    readonly count: number;
    readonly processedOffersSummary: {
      readonly rejectSummaryLastOffers: readonly { readonly reason: string; readonly declined: number }[];
    };
  }[];
};

t.test('three machines on three racks', { skip }, async (t) => {
  const { api, lab } = await startCluster(t, 'place', {
    agents: [1, 2, 3].map((n) => ['--attribute', `rack=r${n}`, '--attribute', `node=node-${n}`]),
  });
  const hostsOf = async (id: string) => (await api.tasks(id)).map(({ host }) => host).toSorted();
  const addresses = lab.hosts.map(({ name }) => name);

  await t.test('checklist 10: constraints say where, and the queue which is not met', async (t) => {
    const unique = sleeper('/unique', { instances: 4, constraints: [['hostname', 'UNIQUE']] });
    await api.must('POST', '/v2/apps', unique);
    await api.until('/unique', ({ tasksRunning }) => tasksRunning === 3);
    t.same(await hostsOf('/unique'), addresses);
    const queue = await api.eventually('/v2/queue', ({ queue }: Queue) => queue.length === 1);
    t.match(queue, {
      queue: [
        {
          app: { id: '/unique' },
          count: 1,
          processedOffersSummary: {
            rejectSummaryLastOffers: [
              { reason: 'UnfulfilledRole', declined: 0, processed: 3 },
              { reason: 'UnfulfilledConstraint', declined: 3, processed: 3 },
              { reason: 'NoCorrespondingReservationFound', declined: 0, processed: 0 },
              { reason: 'AgentMaintenance' },
              { reason: 'InsufficientCpus' },
              { reason: 'InsufficientMemory' },
              { reason: 'InsufficientDisk' },
              { reason: 'InsufficientGpus' },
              { reason: 'InsufficientPorts' },
              { reason: 'DeclinedScarceResources' },
            ],
          },
        },
      ],
    });
    await api.must('DELETE', '/v2/apps/unique');

    await api.deploy(sleeper('/cluster', { instances: 3, constraints: [['rack', 'CLUSTER', 'r2']] }));
    t.same(await hostsOf('/cluster'), ['h2', 'h2', 'h2']);
    await api.deploy(sleeper('/together', { instances: 3, constraints: [['hostname', 'CLUSTER']] }));
    t.equal(new Set(await hostsOf('/together')).size, 1, 'all where the first is');
    await api.deploy(sleeper('/groups', { instances: 6, constraints: [['rack', 'GROUP_BY', '3']] }));
    t.same(await hostsOf('/groups'), ['h1', 'h1', 'h2', 'h2', 'h3', 'h3']);
    await api.deploy(sleeper('/like', { instances: 2, constraints: [['node', 'LIKE', 'node-[23]']] }));
    t.notOk((await hostsOf('/like')).includes('h1'));
    await api.deploy(sleeper('/unlike', { instances: 2, constraints: [['node', 'UNLIKE', 'node-[23]']] }));
    t.same(await hostsOf('/unlike'), ['h1', 'h1']);
    await api.deploy(sleeper('/max', { instances: 6, constraints: [['rack', 'MAX_PER', '2']] }));
    t.same(await hostsOf('/max'), ['h1', 'h1', 'h2', 'h2', 'h3', 'h3']);

    const part = sleeper('/part', { constraints: [['node', 'LIKE', 'node']] });
    await api.must('POST', '/v2/apps', part);
    await api.eventually('/v2/queue', ({ queue }: Queue) => queue.some(({ app }) => app.id === '/part'));
    t.same(await api.tasks('/part'), [], 'a part of a value is no match');
  });
});
