import t, { type Test } from 'tap';
import { request } from 'undici';
import { becomes } from '../lab/processes.ts';
import { Api } from './api.ts';
import { openEvents, upTo } from './event-stream.ts';
import { type Host, openHost } from './host.ts';
import { dataOf, type Running, spawnWeir } from './product.ts';
import { startRedis, withoutRedis } from './redis.ts';

const skip = withoutRedis();
t.setTimeout(240_000);
const withinMs = 60_000;

/** A master with an address of its own. */
type Master = { readonly at: string; readonly origin: string; readonly running: Running; readonly api: Api };

function startMaster(host: Host, address: string, store: string): Master {
  const at = `${address}:8080`;
  const flags = ['--api', at, '--store', store, '--data', `${dataOf(host)}/${address}`];
  const running = spawnWeir(host, ['master', '--network-backend', 'loopback', ...flags]);
  return { at, origin: `http://${at}`, running, api: new Api(host.tunnel, `http://${at}`) };
}

async function says({ running }: Master, text: string): Promise<void> {
  if (!(await becomes(async () => running.output().includes(text), withinMs)))
    throw new Error(`never "${text}":\n${running.output()}`);
}

/** The first leads, the second waits. */
async function twoMasters(t: Test, label: string) {
  const host = await openHost(t, label);
  const store = await startRedis(host);
  const first = startMaster(host, '127.0.0.1', store);
  await says(first, 'master serves');
  const second = startMaster(host, '127.0.0.2', store);
  await says(second, 'master listens');
  return { host, store, first, second };
}

const app = { id: '/waits', cmd: 'sleep 100', cpus: 0.1, mem: 16, env: { LONG: 'x'.repeat(200_000) } };

t.test('a master that waits hands every request to the one that leads', { skip }, async (t) => {
  const { host, first, second } = await twoMasters(t, 'standby');
  const events = await openEvents(host, t, '', second.origin);
  const posted = await second.api.call('POST', '/v2/apps', app);
  t.equal(posted.status, 201);
  t.equal(posted.headers['x-marathon-leader'], first.origin);
  t.match(posted.headers['via'], `1.1 ${second.at}`);
  t.ok(posted.headers['marathon-deployment-id']);
  t.match(await first.api.must('GET', '/v2/apps/waits'), { app: { env: app.env } }, 'a large body, whole');
  const seen = await upTo(events, 'api_post_event');
  t.match(seen[0], { eventType: 'event_stream_attached' }, 'a stream of events goes through');
  t.match(seen.at(-1), { appDefinition: { id: '/waits' } });
  t.match(await second.api.must('GET', '/v2/leader'), { leader: first.at });
  t.match(await second.api.must('GET', '/v2/info'), { leader: first.at });
  t.equal((await second.api.call('GET', '/v2/apps/nope')).status, 404, 'refusals too');
  t.equal((await second.api.call('POST', '/v2/apps', '{')).status, 400);

  for (const path of ['/ping', '/metrics', '/logging']) {
    const own = await second.api.call('GET', path);
    t.equal(own.status, 200, path);
    t.notOk(own.headers['x-marathon-leader'], `${path} is answered by whoever is asked`);
  }
  const loop = await request(`${second.origin}/v2/apps`, {
    dispatcher: host.tunnel.single,
    headers: { via: `1.1 other:80, 1.1 ${second.at}` },
  });
  t.equal(loop.statusCode, 502, 'what comes back goes no further');
  t.match(await loop.body.json(), { message: /loop/ });
});

t.test(
  'leadership moves: whoever is asked leads to the new leader, and a master that waits ends when told to',
  { skip },
  async (t) => {
    const { host, store, first, second } = await twoMasters(t, 'moves');
    await first.api.must('POST', '/v2/apps', { ...app, env: {} });
    t.same(await second.api.must('DELETE', '/v2/leader'), { message: 'Leadership abdicated' });
    await says(second, 'master serves');
    t.match(
      await first.api.must('GET', '/v2/leader'),
      { leader: second.at },
      'the old leader leads to the new one',
    );

    t.match(await first.running.end('SIGTERM'), { exitCode: 0 }, 'a master that waits again');
    const third = startMaster(host, '127.0.0.3', store);
    await says(third, 'waiting for leadership');
    await says(third, 'master listens');
    t.match(await third.api.must('GET', '/v2/apps/waits'), { app: { id: '/waits' } });
    t.match(await third.running.end('SIGTERM'), { exitCode: 0 }, 'a master that never led');

    const fourth = startMaster(host, '127.0.0.4', store);
    await says(fourth, 'master listens');
    await second.running.end('SIGKILL');
    const asked = Date.now();
    t.ok(
      await becomes(async () => (await fourth.api.call('GET', '/v2/apps/waits')).status === 200, withinMs),
    );
    t.comment(`answered ${Date.now() - asked} ms after the leader was killed`);
    t.match(await fourth.api.must('GET', '/v2/leader'), { leader: fourth.at });
  },
);

t.test(
  'without a leader the answer is 502, after a while in which there could have been one',
  { skip },
  async (t) => {
    const { first, second } = await twoMasters(t, 'none');
    // Nobody else may lead before its lease is over.
    await first.running.end('SIGKILL');
    const { status, body } = await second.api.call('GET', '/v2/apps');
    t.equal(status, 502);
    t.match(body, { message: 'Could not determine the current leader' });
    t.equal((await second.api.call('GET', '/ping')).status, 200);
  },
);
