import t, { type Test } from 'tap';
import { engines } from '../product/engines.ts';
import { startLoad } from '../product/load.ts';
import { type CsvRow, serversIn } from './csv-rows.ts';
import { agentAddress, echoApp, openLabelHost, statisticsPort } from './label-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** What marathon-lb's tool for blue and green writes on an app. */
function pairLabels(colour: 'blue' | 'green', more: Readonly<Record<string, string>> = {}) {
  return {
    HAPROXY_GROUP: 'external',
    HAPROXY_0_VHOST: 'web.test',
    HAPROXY_0_PORT: '10000',
    HAPROXY_APP_ID: '/web',
    HAPROXY_DEPLOYMENT_GROUP: 'web',
    HAPROXY_DEPLOYMENT_ALT_PORT: '10001',
    HAPROXY_DEPLOYMENT_COLOUR: colour,
    HAPROXY_DEPLOYMENT_STARTED_AT: colour === 'blue' ? '2020-01-01T00:00:00.1' : '2020-01-02T00:00:00.1',
    HAPROXY_DEPLOYMENT_TARGET_INSTANCES: '3',
    HAPROXY_DEPLOYMENT_NEW_INSTANCES: '0',
    ...more,
  };
}

for (const engine of engines)
  t.test(`an app replaces another of its deployment group with the engine ${engine}`, { skip }, (t) =>
    replaces(t, engine),
  );

async function replaces(t: Test, engine: string): Promise<void> {
  const edge = await openLabelHost(t, `pair${engine}`, { engine, isApart: true });
  const { api, host } = edge;

  /** Once the backend's servers are so: the tool counts them, and reads states and sessions. */
  async function servers(holds: (rows: readonly CsvRow[]) => boolean): Promise<readonly CsvRow[]> {
    const page = await edge.until('/haproxy?stats;csv', { port: statisticsPort }, ({ text }) =>
      holds(serversIn(text, 'web_10000')),
    );
    return serversIn(page.text, 'web_10000');
  }
  const count = (rows: readonly CsvRow[], status: string) =>
    rows.filter((row) => row.get('status') === status).length;
  const nameOf = ({ ports }: { readonly ports: readonly number[] }) =>
    `${agentAddress}_${ports[0]}`.replace(/[^A-Za-z0-9-]/g, '_');

  await edge.deploy(echoApp('/web-blue', pairLabels('blue'), { instances: 3, ports: [10_000] }));
  await t.test('its only app has a backend of the name of the group', async (t) => {
    t.equal(count(await servers((rows) => rows.length === 3), 'UP'), 3);
    t.equal((await edge.ask('/', { port: 10_000 })).echo?.app, '/web-blue');
    const byId = { port: 9091, headers: { 'x-marathon-app-id': '/web' } };
    t.equal((await edge.ask('/', byId)).echo?.app, '/web-blue');
  });

  const loads = [
    startLoad(host, { name: 'host', url: 'http://127.0.0.1:8000/', host: 'web.test' }, { perSecond: 30 }),
    startLoad(host, { name: 'port', url: 'http://127.0.0.1:10000/?ms=200' }, { perSecond: 20 }),
  ];

  await t.test('as many of the old tasks get nothing new as the new app has ready ones', async (t) => {
    await edge.deploy(echoApp('/web-green', pairLabels('green'), { instances: 1, ports: [10_001] }));
    const rows = await servers((all) => all.length === 4 && count(all, 'MAINT') === 1);
    t.equal(count(rows, 'UP'), 3);
    const [first] = (await api.tasks('/web-blue')).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const left = rows.find((row) => row.get('status') === 'MAINT');
    t.equal(left?.get('svname'), first && nameOf(first), 'the first by its id');
    await servers((all) => all.find((row) => row.get('status') === 'MAINT')?.get('scur') === '0');
    const answers = await Promise.all(Array.from({ length: 30 }, () => edge.ask('/', { host: 'web.test' })));
    const tasks = new Set(answers.map(({ echo }) => echo?.task));
    t.notOk(tasks.has(first?.id), 'it gets none');
    t.ok(answers.some(({ echo }) => echo?.app === '/web-green'));
    t.equal(await edge.ask('/', { port: 10_001 }).catch(() => undefined), undefined, 'one place for both');
  });

  await t.test('the tool ends old tasks and scales the new app until the old one is gone', async (t) => {
    const kill = async (n: number) => {
      const tasks = (await api.tasks('/web-blue')).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const ids = tasks.slice(0, n).map(({ id }) => id);
      await api.must('POST', '/v2/tasks/delete?scale=true', { ids });
    };
    await kill(1);
    await servers((all) => all.length === 3 && count(all, 'UP') === 3);
    await api.must('PUT', '/v2/apps/web-green', { instances: 3 });
    await api.until('/web-green', ({ tasksHealthy }) => tasksHealthy === 3);
    const rows = await servers((all) => all.length === 5 && count(all, 'MAINT') === 2);
    t.equal(count(rows, 'UP'), 3);
    await api.must('DELETE', '/v2/apps/web-blue');
    t.equal(count(await servers((all) => all.length === 3), 'UP'), 3);
    t.equal((await edge.ask('/', { port: 10_000 })).echo?.app, '/web-green');
  });

  await t.test('no request is lost meanwhile', async (t) => {
    for (const load of loads) {
      const { sent, failures } = await load.stop();
      t.same(failures, [], `none of ${sent} failed`);
    }
  });
}
