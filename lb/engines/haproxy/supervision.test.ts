import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import type { Route } from '../../../core/model/route.ts';
import { buildTable } from '../../edge/route-table.ts';
import { answerEcho, askFor } from '../../edge/testing/echo.ts';
import { directory, endpoint, RecordingBackend, rawClient, route } from '../../edge/testing/peers.ts';
import { HaproxyEngine } from './haproxy.ts';

async function setUp(t: Test) {
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  const engine = new HaproxyEngine(
    { clock: systemClock, warn },
    { httpPort: 0, stopMs: 100, slowStartMs: 0 },
  );
  const backend = new RecordingBackend(answerEcho('one'));
  const place = endpoint({ id: 'web-1', port: await backend.start() });
  await engine.start();
  t.teardown(async () => {
    await engine.stop();
    await backend.stop();
  });
  return { engine, place, warnings, port: engine.listening[0]!.port };
}

t.test('HAProxy that dies is started again, and nobody is turned away meanwhile', async (t) => {
  const { engine, place, warnings, port } = await setUp(t);
  await engine.apply(buildTable(directory(1, [place])));
  const before = engine.pid;
  process.kill(before!, 'SIGKILL');
  // Its worker ends with it, and with that what it has taken; nobody is turned away (that would reject).
  let status = 0;
  while (status !== 200 || engine.pid === before) status = await answerOf(port);
  t.match(warnings.join('\n'), /ended unexpectedly/);
});

t.test('a route that HAProxy refuses is closed and named, and the others go on', async (t) => {
  const { engine, place, warnings, port } = await setUp(t);
  const limits = { clientPerSecond: 1, clientBurst: 1_000_000_000 };
  const refused: Route = { ...route({ host: 'bad.test', id: 'bad' }), options: { limits } };
  await engine.apply(buildTable(directory(1, [place], [route(), refused])));
  t.equal((await askFor(port, { host: 'web.test' })).status, 200);
  t.equal((await askFor(port, { host: 'bad.test' })).status, 503);
  t.match(warnings.join('\n'), /cannot carry out route bad/);
});

t.test('an option that restricts and cannot be carried out closes its route', async (t) => {
  const { engine, place, port } = await setUp(t);
  const asked = { service: { appId: '/auth', portIndex: 0 }, path: '/' };
  const routes = [{ ...route(), options: { forwardAuth: asked } }];
  await engine.apply(buildTable(directory(1, [place], routes)));
  t.equal((await askFor(port, { host: 'web.test' })).status, 503);
  const links = await engine.why({ url: 'http://web.test/' });
  t.match(links.at(-1), { ok: false, says: /the engine haproxy does not ask another service/ });
});

t.test(
  'why names the route, its endpoints and whether they can be reached; metrics count by route',
  async (t) => {
    const { engine, place, port } = await setUp(t);
    const dead = endpoint({ app: '/dead', id: 'dead-1', port: 1 });
    await engine.apply(
      buildTable(directory(1, [place, dead], [route(), route({ host: 'dead.test', app: '/dead' })])),
    );
    await askFor(port, { host: 'web.test' });
    await askFor(port, { host: 'none.test' });
    t.notMatch(await engine.why({ url: 'http://web.test/' }), [{ ok: false }]);
    t.match((await engine.why({ url: 'http://dead.test/' })).at(-1), { link: 'connection', ok: false });
    t.match((await engine.why({ url: 'http://none.test/' })).at(-1), { link: 'route', ok: false });
    const { requests, traffic } = await engine.stats();
    t.match(
      requests.find((one) => one.route === route().id),
      { codeClass: '2xx', count: 1 },
    );
    t.match(
      requests.find((one) => one.route === 'none'),
      { codeClass: '4xx', count: 1 },
    );
    t.match(
      traffic?.endpoints.find((one) => one.endpoint.startsWith('web-1')),
      { requests: [{ count: 1 }] },
    );
  },
);

t.test('a hundred changes of routes and endpoints under load fail no request', async (t) => {
  const { engine, place, port } = await setUp(t);
  const second = new RecordingBackend(answerEcho('two'));
  const other = endpoint({ id: 'web-2', port: await second.start() });
  t.teardown(() => second.stop());
  await engine.apply(buildTable(directory(1, [place])));
  let changing = true;
  const counts = { good: 0, bad: 0 };
  const client = async () => {
    while (changing) counts[(await answerOf(port).catch(() => 0)) === 200 ? 'good' : 'bad']++;
  };
  const clients = Array.from({ length: 4 }, client);
  const kept = keptAlive(port, () => changing);
  for (let n = 2; n <= 101; n++) {
    const extra = Array.from({ length: n % 7 }, (_, k) => route({ host: `extra-${k}-${n % 3}.test` }));
    const shaped =
      n % 20 === 0
        ? [{ ...route({ host: 'rule.test' }), conditions: { methods: [`M${'X'.repeat(n / 20)}`] } }]
        : [];
    await engine.apply(
      buildTable(directory(n, n % 2 === 0 ? [place, other] : [other], [route(), ...extra, ...shaped])),
    );
  }
  changing = false;
  await Promise.all(clients);
  const asked = await kept;
  t.equal(counts.bad, 0);
  t.ok(
    counts.good > 100,
    `${counts.good} requests on connections of their own, ${asked} on one that is kept`,
  );
  t.ok(asked > 100);
});

async function answerOf(port: number): Promise<number> {
  return (await askFor(port, { host: 'web.test' })).status;
}

/** Requests one after the other on one connection; one that is told to close makes another. Rejects when one is not answered with 200. */
async function keptAlive(port: number, more: () => boolean): Promise<number> {
  let count = 0;
  while (more()) {
    const client = await rawClient(port);
    for (let n = 1; more(); n++) {
      client.send('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
      const text = await client.until('at ', n);
      if (text.split('HTTP/1.1 200').length !== n + 1) throw new Error(text.slice(-500));
      count++;
      if (/connection: close/i.test(text)) break;
    }
    client.socket.destroy();
  }
  return count;
}
