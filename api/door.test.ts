import { Readable } from 'node:stream';
import t from 'tap';
import { request } from 'undici';
import { atMostAtOnce } from './concurrency.ts';
import { authenticated } from './credentials.ts';
import { startServer } from './testing/server.ts';

t.test('with credentials configured every request needs them, but /ping', async (t) => {
  const guard = authenticated({ credentials: 'us:pass:word', realm: 'the "realm"' });
  const { api } = await startServer(t, { guards: [guard] });
  const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const asked = (authorization?: string) =>
    api.call('GET', '/v2/info', { headers: authorization === undefined ? {} : { authorization } });

  const without = await asked();
  t.equal(without.status, 401);
  t.equal(without.headers['www-authenticate'], 'Basic realm="the \\"realm\\""');
  t.match(without.body, { message: String });
  t.equal(without.headers['cache-control'], 'no-cache, no-store, must-revalidate');
  t.equal((await asked(encoded('us:pass'))).status, 401);
  t.equal((await asked('Bearer x')).status, 401);
  t.equal((await asked(encoded('us:pass:word'))).status, 200);
  t.equal((await api.call('GET', '/ping')).status, 200);
  t.equal((await api.call('POST', '/v1/agents/a/report', { body: {} })).status, 401, 'agents too');
});

t.test('requests beyond the most at once are answered 503; streams do not count', async (t) => {
  const { url, api } = await startServer(t, { guards: [atMostAtOnce(1)] });
  const events = await api.events();
  t.equal((await api.call('GET', '/v2/info')).status, 200, 'beside a stream');
  // Its body does not end, so that it stays in progress.
  const ending = new AbortController();
  const body = new Readable({ read() {} });
  body.push('{');
  const hanging = request(`${url}/v2/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': '10' },
    body,
    signal: ending.signal,
  }).catch(() => undefined);
  const excess = await until(() => api.call('GET', '/v2/info'), 503);
  t.match(excess.body, { message: /1 are in progress/ });
  t.equal((await api.call('GET', '/ping')).status, 200);
  ending.abort();
  await hanging;
  t.equal((await until(() => api.call('GET', '/v2/info'), 200)).status, 200, 'once it is gone');
  t.ok(events);
});

async function until<A extends { readonly status: number }>(
  ask: () => Promise<A>,
  status: number,
): Promise<A> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (answer.status === status || Date.now() > deadline) return answer;
  }
}
