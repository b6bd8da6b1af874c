import t, { type Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { silentLog } from '../../../core/kit/log.ts';
import type { Route, RouteOptions } from '../../../core/model/route.ts';
import { EdgeConsumer } from '../consumer.ts';
import { answerEach, directory, endpoint, RecordingBackend, rawClient, route } from '../testing/peers.ts';
import { DevelopmentAuthority } from '../tls/authority.ts';

async function setUp(t: Test, { https = false } = {}) {
  const authority = new DevelopmentAuthority({ clock: systemClock }, { folder: t.testdir({}) });
  const edge = new EdgeConsumer(
    { clock: systemClock, log: silentLog, certificate: (name) => authority.certificate(name) },
    { httpPort: 0, stopMs: 100, ...(https ? { httpsPort: 0 } : {}) },
  );
  const fails = 'HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n';
  const failing = new RecordingBackend((recorded) => recorded.send(fails));
  const backend = new RecordingBackend(answerEach());
  const ports = { well: await backend.start(), failing: await failing.start(), dead: 1 };
  await edge.start();
  t.teardown(async () => {
    await edge.stop();
    await Promise.all([backend.stop(), failing.stop()]);
  });
  const endpoints = Object.entries(ports).map(([app, port]) => endpoint({ app: `/${app}`, port }));
  await edge.apply(directory(1, endpoints, [...routes()]));
  return { edge, port: edge.listening[0]!.port };
}

function routes(): readonly Route[] {
  const to = (host: string, app: string, options?: RouteOptions) => ({
    ...route({ host, app, id: host }),
    ...(options && { options }),
  });
  return [
    to('web.test', '/well'),
    to('gone.test', '/gone'),
    to('dead.test', '/dead'),
    to('failing.test', '/failing'),
    to('barred.test', '/well', { deny: ['198.51.100.0/24'] }),
    to('closed.test', '/well', { maintenance: {} }),
    to('secure.test', '/well', { redirectToHttps: true }),
    { ...to('narrow.test', '/well'), pathPrefix: '/api' },
    { ...to('posts.test', '/well'), conditions: { methods: ['POST'] } },
  ];
}

type Ask = Parameters<EdgeConsumer['why']>[0];

/** Where the walk ends, and what it says there. */
async function endOf(edge: EdgeConsumer, question: Ask): Promise<string> {
  const links = await edge.why(question);
  const last = links.at(-1)!;
  t.ok(
    links.slice(0, -1).every(({ ok }) => ok),
    'only the last link is broken',
  );
  t.equal(last.ok, last.next === undefined, 'what is broken comes with what to do');
  return `${last.ok ? 'ok' : last.link}: ${last.says}`;
}

t.test('the walk ends at the first broken link and says what is wrong there', async (t) => {
  const { edge, port } = await setUp(t);
  const cases: readonly (readonly [Ask, RegExp])[] = [
    [{ url: 'http://web.test/' }, /^ok: no error within a minute/],
    [{ url: 'https://web.test/' }, /^listener: this edge does not serve HTTPS/],
    [{ url: `http://web.test:${port + 1}/` }, /^listener: the URL asks port/],
    [{ url: 'http://web.test/', method: 'CONNECT' }, /^request: the edge would refuse it/],
    [{ url: 'http://other.test/' }, /^route: no route has the host other\.test/],
    [
      { url: 'http://narrow.test/apix' },
      /^route: no route of narrow\.test fits.*its path \(prefix\) does not fit/,
    ],
    [{ url: 'http://posts.test/' }, /^route: .*wants method POST/],
    [{ url: 'http://posts.test/', method: 'POST' }, /^ok: /],
    [
      { url: 'http://barred.test/', client: '198.51.100.7' },
      /^policy: the edge answers 403 by itself \(address\)/,
    ],
    [{ url: 'http://barred.test/' }, /^ok: /],
    [{ url: 'http://closed.test/' }, /^policy: the edge answers 503 by itself \(maintenance\)/],
    [{ url: 'http://secure.test/' }, /^policy: the edge answers 301 by itself \(redirect\): It is at https:/],
    [{ url: 'http://gone.test/' }, /^endpoints: \/gone has no instance/],
    [{ url: 'http://dead.test/' }, /^connection: .*ECONNREFUSED/],
  ];
  for (const [question, expected] of cases)
    t.match(await endOf(edge, question), expected, JSON.stringify(question));
});

t.test('errors that the edge saw are told', async (t) => {
  const { edge, port } = await setUp(t);
  for (const [host, until] of [
    ['failing.test', 'HTTP/1.1 500'],
    ['dead.test', 'Request id'],
  ] as const) {
    const client = await rawClient(port);
    client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await client.until(until);
    client.socket.destroy();
  }
  t.match(await endOf(edge, { url: 'http://failing.test/' }), /^answers: .*it answered 500, \d+ s ago/);
  t.match(
    await endOf(edge, { url: 'http://dead.test/' }),
    /^health: none is well: .*it did not take the connection/,
  );
});

t.test('the certificate that a client gets is looked at', async (t) => {
  const { edge } = await setUp(t, { https: true });
  t.match(await endOf(edge, { url: 'https://web.test/' }), /^ok: /);
  t.match(
    await endOf(edge, { url: 'https://stranger.test/' }),
    /^certificate: the edge shows one that is not for stranger\.test/,
  );
});
