import t from 'tap';
import { startMaster } from './testing/master.ts';
import { startServer } from './testing/server.ts';

t.test('a master that abdicates leads again when nobody else wants to', async (t) => {
  const { api } = await startMaster(t);
  await api.must('POST', '/v2/apps', { id: '/web', cmd: 'sleep 100', cpus: 0.1, mem: 16 });
  const events = await api.events();
  const leader = await api.must('GET', '/v2/leader');
  t.same(await api.must('DELETE', '/v2/leader'), { message: 'Leadership abdicated' });
  t.same(await api.must('DELETE', '/v2/leader'), { message: 'Leadership abdicated' }, 'once more is no harm');
  await t.rejects(events.upTo('never'), 'whoever listened is let go');
  const back = await again(() => api.must('GET', '/v2/leader'));
  t.same(back, leader);
  t.match(await api.must('GET', '/v2/apps/web'), { app: { instances: 1, deployments: [{}] } });

  t.equal((await api.call('DELETE', '/v2/leader?backup=nowhere')).status, 422);
  t.equal((await api.call('DELETE', '/v2/leader?restore=file:///tmp/x')).status, 501);
});

/** Until it answers; a refused connection is an answer to wait behind. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (Date.now() > end) throw error;
      return undefined;
    });
    if (answer !== undefined) return answer;
    await new Promise(setImmediate);
  }
}

t.test('how much is logged can be changed, for a while or for good', async (t) => {
  const { api, clock } = await startServer(t);
  t.same(await api.must('GET', '/logging'), { ROOT: 'INFO' });
  t.same(await api.must('POST', '/logging', { level: 'Debug', logger: 'x', durationSeconds: 60 }), {
    ROOT: 'INFO',
    x: 'DEBUG',
  });
  t.same(await api.must('POST', '/logging', { level: 'error' }), { ROOT: 'ERROR', x: 'DEBUG' });
  await clock.advance(60_000);
  t.same(await api.must('GET', '/logging'), { ROOT: 'ERROR' });
  const wrong = await api.call('POST', '/logging', { body: { level: 'loud' } });
  t.equal(wrong.status, 422);
  t.match(wrong.body, { details: [{ path: '/level', errors: ['error.unknown.enum.literal'] }] });
  t.equal((await api.call('POST', '/logging')).status, 400);
});

t.test('metrics have the shape of Dropwizard', async (t) => {
  const { api } = await startServer(t);
  await api.must('GET', '/ping');
  const metrics = await api.must<Record<string, Record<string, object>>>('GET', '/metrics');
  t.same(Object.keys(metrics).sort(), ['counters', 'gauges', 'histograms', 'meters', 'timers', 'version']);
  for (const name of ['apps.active', 'instances.running', 'instances.staged', 'deployments.active'])
    t.match(metrics['gauges']?.[`marathon.${name}.gauge`], { value: Number }, name);
  t.match(metrics['gauges']?.['marathon.uptime.gauge.seconds'], { value: Number });
  t.match(metrics['counters']?.['marathon.deployments.counter'], { count: 0 });
  const timer = metrics['timers']?.['marathon.http.requests.duration.timer.seconds'];
  t.match(timer, { count: 1, min: Number, mean: Number, p50: Number, p999: Number, max: Number });
  const prometheus = await api.call('GET', '/metrics/prometheus');
  t.match(prometheus.headers['content-type'], /^text\/plain/);
  t.match(prometheus.text, /^# TYPE weir_apps gauge$/m);
});

t.test('the root leads to the console, and OPTIONS says what may be done', async (t) => {
  const { api } = await startServer(t);
  const root = await api.call('GET', '/');
  t.equal(root.status, 302);
  t.equal(root.headers['location'], '/ui/');
  const options = await api.call('OPTIONS', '/v2/apps');
  t.equal(options.status, 200);
  t.equal(options.headers['allow'], 'GET, HEAD, PATCH, POST, PUT');
  t.equal((await api.call('OPTIONS', '/v2/nope')).status, 404);
});

t.test('pages of origins that are configured may read, and no others', async (t) => {
  const headers = { origin: 'http://here', 'access-control-request-headers': 'x-a' };
  const closed = await startServer(t);
  t.notOk((await closed.api.call('GET', '/v2/info', { headers })).headers['access-control-allow-origin']);
  const { api } = await startServer(t, { allowOrigins: ['http://here'] });
  t.match((await api.call('OPTIONS', '/v2/apps', { headers })).headers, {
    'access-control-allow-origin': 'http://here',
    'access-control-allow-methods': 'GET, HEAD, OPTIONS',
    'access-control-max-age': '86400',
    'access-control-allow-headers': 'x-a',
  });
  const elsewhere = await api.call('GET', '/v2/info', { headers: { origin: 'http://there' } });
  t.notOk(elsewhere.headers['access-control-allow-origin']);
  const write = await api.call('POST', '/v2/apps', { headers, body: {} });
  t.notOk(write.headers['access-control-allow-origin']);
});
