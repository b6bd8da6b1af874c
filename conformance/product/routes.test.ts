import t from 'tap';
import { request } from 'undici';
import { webServer } from './definitions.ts';
import { openHost } from './host.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('what a route says happens to requests at the edge', { skip }, async (t) => {
  const host = await openHost(t, 'routes');
  const { api } = await startProduct(host);
  for (const name of ['stable', 'canary', 'other'])
    await api.deploy(webServer(`/shop/${name}`, { instances: 1, greeting: name }));

  /** Puts a route in force at the edge and gives the way to ask it. */
  async function routed(definition: { readonly host: string } & Readonly<Record<string, unknown>>) {
    await api.must('POST', '/v1/routes', { app: '/shop/stable', ...definition });
    await api.spread();
    return async (path = '/', headers: Readonly<Record<string, string>> = {}) => {
      const answer = await request(`http://127.0.0.1:8000${path}`, {
        dispatcher: host.tunnel.dispatcher,
        headers: { host: definition.host, ...headers },
      });
      const text = await answer.body.text();
      return { status: answer.statusCode, headers: answer.headers, greeting: /(\w+)\n$/.exec(text)?.[1] };
    };
  }

  await t.test('a share goes to a canary, and testers always', async (t) => {
    const split = [{ app: '/shop/canary', share: 100 }];
    const ask = await routed({ host: 'share.example', split });
    const seen = new Set<string | undefined>();
    for (let n = 0; n < 50 && seen.size < 2; n++) seen.add((await ask()).greeting);
    t.same([...seen].sort(), ['canary', 'stable']);
    const testers = { id: 'testers', headers: [{ name: 'X-Tester' }], app: '/shop/canary' };
    const askAs = await routed({ host: 'share.example', ...testers });
    for (let n = 0; n < 5; n++) t.equal((await askAs('/', { 'x-tester': '1' })).greeting, 'canary');
  });

  await t.test('answers of the edge itself', async (t) => {
    const moved = await (
      await routed({ host: 'old.example', redirect: { status: 308, host: 'new.example' } })
    )('/a?b');
    t.match(moved, { status: 308, headers: { location: 'http://new.example/a?b' } });
    const closed = await (await routed({ host: 'closed.example', maintenance: { retryAfterSeconds: 9 } }))();
    t.match(closed, { status: 503, headers: { 'retry-after': '9' } });
    const denied = await (await routed({ host: 'denied.example', deny: ['0.0.0.0/0'] }))();
    t.equal(denied.status, 403);
  });

  await t.test('limits hold', async (t) => {
    const ask = await routed({ host: 'limited.example', limits: { clientPerSecond: 1 } });
    t.equal((await ask()).status, 200);
    t.equal((await ask()).status, 429);
  });

  await t.test('a definition that cannot be is refused with places, and nothing changes', async (t) => {
    const before = (await api.call('GET', '/v1/routes')).text;
    const bad = {
      host: 'bad.example',
      app: '/shop/stable',
      path: '(',
      pathKind: 'regex',
      limits: { perSecond: 0 },
    };
    const answer = await api.call('POST', '/v1/routes', bad);
    t.equal(answer.status, 422);
    t.match(answer.body, { details: [{ path: '/limits/perSecond' }, { path: '/path' }] });
    t.equal((await api.call('GET', '/v1/routes')).text, before);
  });

  await t.test('a host of one team is refused to another', async (t) => {
    const intruder = webServer('/blog/web', { instances: 1, host: 'share.example' });
    await api.deploy(intruder);
    t.match(await api.must('GET', '/v1/routes'), {
      faults: [{ app: '/blog/web', effect: 'no route', reason: /belongs to \/shop/ }],
    });
    const route = await api.call('POST', '/v1/routes', {
      host: 'share.example',
      path: '/b',
      app: '/blog/web',
    });
    t.equal(route.status, 409);
    t.match(route.body, { message: /group \/shop/ });
  });
});
