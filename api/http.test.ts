import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { request } from 'undici';
import { startMaster } from './testing/master.ts';

const sleeper = {
  id: '/shop/web',
  cmd: 'sleep 100',
  cpus: 0.1,
  mem: 16,
  labels: { text: 'x'.repeat(2_000) },
};

t.test('the HTTP layer', async (t) => {
  const { api, url } = await startMaster(t);
  await api.must('POST', '/v2/apps', sleeper);
  const before = await api.state();

  await t.test('every answer carries the standing headers and the leader', async (t) => {
    for (const path of ['/v2/apps', '/v2/nope', '/v2/apps/nope', '/ping', '/metrics']) {
      t.match(
        (await api.call('GET', path)).headers,
        {
          'cache-control': 'no-cache, no-store, must-revalidate',
          ...{ pragma: 'no-cache', expires: '0', 'x-frame-options': 'DENY' },
          'x-xss-protection': '1; mode=block',
          'x-marathon-leader': url,
        },
        path,
      );
    }
  });

  await t.test('slashes at the end, doubled or escaped change nothing', async (t) => {
    const plain = await api.call('GET', '/v2/apps/shop/web');
    t.equal(plain.status, 200);
    for (const path of [
      '/v2/apps/shop/web/',
      '/v2/apps//shop//web',
      '/v2/apps/shop%2Fweb',
      '/v2/apps/%2Fshop%2Fweb',
    ])
      t.same((await api.call('GET', path)).body, plain.body, path);
    t.equal((await api.call('GET', '/v2/apps/')).text, (await api.call('GET', '/v2/apps')).text);
    t.equal((await api.call('GET', '/v2/apps/shop/web/versions/')).status, 200);
  });

  await t.test('what is not there is named', async (t) => {
    const missing = async (path: string, message: string) => {
      const answer = await api.call('GET', path);
      t.equal(answer.status, 404);
      t.same(answer.body, { message });
    };
    await missing('/v2/nope?x=1', 'URI not found: /v2/nope');
    await missing('/v2/eventSubscriptions', 'URI not found: /v2/eventSubscriptions');
    await missing('/v2/artifacts', 'URI not found: /v2/artifacts');
    await missing('/v2/apps/nope', "App '/nope' does not exist");
    await missing('/v2/apps/shop/web/versions/2001', "App '/shop/web' does not exist in version 2001");
    await missing('/v2/apps/nope/tasks', "App '/nope' does not exist");
    await missing('/v2/apps/nope/versions', "App '/nope' does not exist");
  });

  await t.test('a wrong verb is 405, a wrong type 406 or 415', async (t) => {
    const is = async (status: number, message: string, answer: ReturnType<typeof api.call>) => {
      const { status: given, body } = await answer;
      t.equal(given, status);
      t.same(body, { message });
    };
    await is(405, 'Method Not Allowed', api.call('PATCH', '/v2/queue'));
    await is(405, 'Method Not Allowed', api.call('POST', '/v2/deployments'));
    await is(405, 'Method Not Allowed', api.call('POST', '/v2/apps/shop/web', { body: {} }));
    await is(405, 'Method Not Allowed', api.call('PUT', '/v2/info', { body: {} }));
    await is(405, 'Method Not Allowed', api.call('GET', '/v2/apps/shop/web/tasks/one'));
    await is(405, 'Method Not Allowed', api.call('GET', '/v2/apps/shop/web/restart'));
    await is(406, 'Not Acceptable', api.call('GET', '/v2/apps', { headers: { accept: 'image/png' } }));
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    await is(415, 'Unsupported Media Type', api.call('POST', '/v2/apps', { body: 'a=b', headers: form }));
    await is(405, 'Method Not Allowed', api.call('GET', '/v2/events', { headers: { accept: 'text/plain' } }));
    t.match((await api.call('DELETE', '/v2/info')).headers, { allow: 'GET, HEAD' });
  });

  await t.test('a missing content type is taken for JSON', async (t) => {
    const body = Buffer.from(JSON.stringify({ id: 5 }));
    const answer = await request(`${url}/v2/apps`, { method: 'POST', body });
    t.equal(answer.statusCode, 422);
    await answer.body.dump();
  });

  await t.test('HEAD answers without a body', async (t) => {
    const answer = await api.call('HEAD', '/v2/apps');
    t.equal(answer.status, 200);
    t.equal(answer.text, '');
  });

  await t.test('answers are compressed for those who ask', async (t) => {
    const asked = await request(`${url}/v2/apps`, { headers: { 'accept-encoding': 'gzip, deflate' } });
    t.equal(asked.headers['content-encoding'], 'gzip');
    const packed = Buffer.from(await asked.body.arrayBuffer());
    t.equal(gunzipSync(packed).toString(), (await api.call('GET', '/v2/apps')).text);
    const refused = await request(`${url}/v2/apps`, { headers: { 'accept-encoding': 'gzip;q=0' } });
    t.notOk(refused.headers['content-encoding']);
    await refused.body.dump();
  });

  await t.test('ping answers in the type asked for', async (t) => {
    const ping = async (accept: string) => (await api.call('GET', '/ping', { headers: { accept } })).text;
    t.equal(await ping('text/plain'), 'pong');
    t.equal(await ping('*/*'), 'pong');
    t.equal(await ping('application/json'), '"pong"');
    t.equal((await api.call('GET', '/ping', { headers: { accept: 'image/png' } })).status, 204);
  });

  await t.test('info has the keys that clients know, and no others', async (t) => {
    const info = await api.must<Record<string, Record<string, unknown>>>('GET', '/v2/info');
    const top = ['name', 'version', 'buildref', 'elected', 'leader', 'frameworkId', 'marathon_config'];
    t.same(
      Object.keys(info).filter((key) => ![...top, 'zookeeper_config', 'http_config'].includes(key)),
      [],
    );
    t.match(info, { name: 'marathon', version: /^1\.\d+\.\d+$/, elected: true, leader: new URL(url).host });
    t.match(info['marathon_config'], {
      local_port_min: 10_000,
      local_port_max: 20_000,
      features: ['gpu_resources'],
    });
    t.same(await api.must('GET', '/v2/leader'), { leader: new URL(url).host });
    t.same(await api.must('GET', '/v2/plugins'), { plugins: [] });
    t.match(await api.must('GET', '/metrics'), { version: String, gauges: {}, counters: {}, timers: {} });
  });

  t.equal(await api.state(), before, 'nothing of this changed anything');
});
