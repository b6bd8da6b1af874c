import t from 'tap';
import { startMaster } from './testing/master.ts';

type Item = {
  count: number;
  delay: { overdue: boolean; timeLeftSeconds: number };
  since: string;
  processedOffersSummary: {
    processedOffersCount: number;
    unusedOffersCount: number;
    rejectSummaryLaunchAttempt: { processed: number }[];
  };
};
type Queue = { queue: Item[] };

const sleeper = { cmd: 'sleep 100', cpus: 0.5, mem: 16, instances: 1 };

t.test('what waits for a place tells how many agents refused, and why', async (t) => {
  const { api, agent } = await startMaster(t);
  for (const name of ['h1', 'h2', 'h3']) await agent(name);
  await api.must('POST', '/v2/apps', { ...sleeper, id: '/small' });
  await api.settled();
  t.same(await api.must('GET', '/v2/queue'), { queue: [] });
  const { version } = await api.must<{ version: string }>('POST', '/v2/apps', {
    ...{ ...sleeper, id: '/big', cpus: 5_000, instances: 2 },
    constraints: [['hostname', 'UNLIKE', 'h1']],
  });

  const { queue } = await api.until<Queue>('/v2/queue', (body) => body.queue.length > 0);
  const row = (reason: string, declined: number, processed: number) => ({ reason, declined, processed });
  const rows = [
    row('UnfulfilledRole', 0, 3),
    row('UnfulfilledConstraint', 1, 3),
    row('NoCorrespondingReservationFound', 0, 2),
    row('AgentMaintenance', 0, 2),
    row('InsufficientCpus', 2, 2),
    ...['InsufficientMemory', 'InsufficientDisk', 'InsufficientGpus', 'InsufficientPorts'].map((reason) =>
      row(reason, 0, 0),
    ),
    row('DeclinedScarceResources', 0, 0),
  ];
  t.match(queue, [
    {
      app: { id: '/big', cpus: 5_000 },
      ...{ count: 2, delay: { timeLeftSeconds: 0, overdue: true }, since: version },
      processedOffersSummary: {
        lastUnusedOfferAt: /Z$/,
        rejectSummaryLastOffers: rows,
      },
    },
  ]);
  const { processedOffersCount, unusedOffersCount, rejectSummaryLaunchAttempt } =
    queue[0]!.processedOffersSummary;
  t.ok(unusedOffersCount >= 3 && unusedOffersCount % 3 === 0, `${unusedOffersCount} in whole rounds`);
  t.equal(processedOffersCount, unusedOffersCount, 'none of them was used');
  t.same(
    rejectSummaryLaunchAttempt.map(({ processed }) => (processed * 3) / unusedOffersCount),
    rows.map(({ processed }) => processed),
    'the attempt adds up what every round found',
  );
  const known = ['app', 'count', 'delay', 'since', 'processedOffersSummary'];
  t.same(Object.keys(queue[0] ?? {}).sort(), known.sort(), 'and no key that clients do not know');

  await t.test('the agents are shown as offers of what they have left', async (t) => {
    const asked = await api.must<{ queue: [{ lastUnusedOffers: { offer: Offer; reason: string[] }[] }] }>(
      'GET',
      '/v2/queue?embed=lastUnusedOffers',
    );
    const offers = asked.queue[0].lastUnusedOffers;
    t.same(offers.map(({ offer }) => offer.hostname).sort(), ['h1', 'h2', 'h3']);
    const cpus = offers.map(({ offer }) => offer.resources.find(({ name }) => name === 'cpus')?.scalar);
    t.same(cpus.sort(), [1_000, 1_000, 999.5]);
    for (const { offer, reason } of offers) {
      t.same(reason, [offer.hostname === 'h1' ? 'UnfulfilledConstraint' : 'InsufficientCpus']);
      t.match(offer.resources.at(-1), { name: 'ports', role: '*' });
    }
  });
});

type Offer = { hostname: string; resources: { name: string; scalar?: number }[] };

t.test('what waits after a failure tells for how long, until its delay is dropped', async (t) => {
  const { api, agent } = await startMaster(t);
  const h1 = await agent('h1');
  await api.must('POST', '/v2/apps', { ...sleeper, id: '/shop/web', backoffSeconds: 1_000 });
  await api.settled();
  const started = await api.events('event_type=status_update_event');
  const { tasks } = await api.must<{ tasks: { id: string }[] }>('GET', '/v2/apps/shop/web/tasks');
  await h1.crash(tasks[0]?.id.replace(/\._app.*/, '') ?? '', 'exited with 1');
  t.match(await started.next(), { taskStatus: 'TASK_FAILED' });
  const { queue } = await api.until<Queue>('/v2/queue', (body) => body.queue.length > 0);
  t.match(queue, [{ app: { id: '/shop/web' }, count: 1, delay: { overdue: false } }]);
  const left = queue[0]?.delay.timeLeftSeconds ?? 0;
  t.ok(left > 900 && left <= 1_000, `${left} s`);
  const { app } = await api.must<{ app: { lastTaskFailure?: { timestamp: string } } }>(
    'GET',
    '/v2/apps/shop/web',
  );
  t.equal(queue[0]?.since, app.lastTaskFailure?.timestamp);

  for (const path of ['/v2/queue/nope/delay', '/v2/queue/shop/delay']) {
    const missing = await api.call('DELETE', path);
    t.equal(missing.status, 404);
    t.same(missing.body, {
      message: `Application ${path.slice('/v2/queue'.length, -'/delay'.length)} not found in tasks queue.`,
    });
  }
  const dropped = await api.call('DELETE', '/v2/queue//shop/web/delay');
  t.equal(dropped.status, 204);
  t.equal(dropped.text, '');
  t.match(await started.next(), { taskStatus: 'TASK_STARTING' }, 'it is launched at once');
  started.close();
});
