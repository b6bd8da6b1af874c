import t, { type Test } from 'tap';
import type { RouteOptions } from '../../../core/model/route.ts';
import { answerEach, directory, type Recorded, rawClient, route, serveWith } from '../testing/peers.ts';
import { matchPath } from './match.ts';
import { publicLocation, strippedPath } from './rewrite.ts';
import { buildTable } from './route-table.ts';

const body = 'ok';

async function serving(
  t: Test,
  options: RouteOptions,
  {
    answers = [answerEach(body)],
    settings = {},
  }: { answers?: ((r: Recorded) => void)[]; settings?: object } = {},
) {
  const served = await serveWith(t, answers, settings);
  const table = buildTable(directory(2, served.endpoints, [{ ...route(), options }]));
  await served.engine.apply(table);
  const ask = async (path = '/', fields = '', end = '\r\n\r\n') => {
    const client = await rawClient(served.port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: web.test:8000\r\n${fields}\r\n`);
    const text = await client.until(end);
    client.socket.destroy();
    return text;
  };
  return { ...served, ask };
}

t.test('a route that wants TLS sends plain requests to the same place with TLS', async (t) => {
  const { ask, backends } = await serving(t, { redirectToHttps: true });
  t.match(await ask('/a?b'), /^HTTP\/1\.1 301 .*\r\nLocation: https:\/\/web\.test\/a\?b\r\n/s);
  t.equal(backends[0]!.text, '');
});

t.test('a redirect to TLS names the port of this edge to whoever named one', async (t) => {
  const { ask } = await serving(t, { redirectToHttps: true }, { settings: { httpsPort: 8443 } });
  t.match(await ask('/'), /\r\nLocation: https:\/\/web\.test:8443\/\r\n/);
});

t.test('behind a trusted proxy the scheme and the address of the client count', async (t) => {
  const settings = { trustedProxies: ['127.0.0.0/8'] };
  const options = { redirectToHttps: true, hsts: true, allow: ['100.64.0.0/10'] } as const;
  const { ask } = await serving(t, options, { settings });
  const from = (address: string, proto: string) =>
    ask('/', `X-Forwarded-For: 100.64.0.1, ${address}\r\nX-Forwarded-Proto: ${proto}\r\n`);
  t.match(
    await from('100.64.9.9', 'https'),
    /^HTTP\/1\.1 200 .*\r\nStrict-Transport-Security: max-age=15768000\r\n/s,
  );
  t.match(await from('100.64.9.9', 'http'), 'HTTP/1.1 301 ');
  t.match(await from('127.0.0.9', 'https'), 'HTTP/1.1 403 ');
  for (const address of ['100.64.9.9:4711', '[::ffff:100.64.9.9]:4711', '::ffff:100.64.9.9'])
    t.match(await from(address, 'https'), 'HTTP/1.1 200 ', address);
  for (const address of ['127.0.0.9:4711', '[::1]:4711', '[::ffff:127.0.0.9]'])
    t.match(await from(address, 'https'), 'HTTP/1.1 403 ', address);
});

t.test('an answer without TLS promises none', async (t) => {
  const { ask } = await serving(t, { hsts: true });
  t.notMatch(await ask(), 'Strict-Transport-Security');
});

t.test('a route for some addresses answers 403 to others, whatever they claim to be', async (t) => {
  const allowed = await serving(t, { allow: ['127.0.0.1'] });
  t.match(await allowed.ask(), 'HTTP/1.1 200 ');
  const refused = await serving(t, { allow: ['127.0.0.2', '::1/128'] });
  t.match(await refused.ask('/', 'X-Forwarded-For: 127.0.0.2\r\n'), 'HTTP/1.1 403 ');
  t.equal(refused.backends[0]!.text, '');
});

t.test('a route can send the root elsewhere, and nothing but the root', async (t) => {
  const { ask } = await serving(t, { rootTo: '/home' });
  t.match(await ask('/'), /^HTTP\/1\.1 301 .*\r\nLocation: \/home\r\n/s);
  t.match(await ask('/home'), 'HTTP/1.1 200 ');
});

t.test('a stripped prefix is gone for the service, which is asked under the host of its route', async (t) => {
  const { ask, backends } = await serving(t, { stripPrefix: '/in' });
  await ask('/in/x?y');
  t.match(backends[0]!.text, /^GET \/x\?y HTTP\/1\.1\r\nHost: web\.test\r\n/);
  t.match(backends[0]!.text, '\r\nX-Forwarded-Host: web.test:8000\r\n');
  t.equal(backends[0]!.text.split('\r\nHost:').length, 2);
});

t.test('a prefix is stripped only where a segment ends', async (t) => {
  const strip = (path: string) => strippedPath('/in/', path);
  t.same(['/in', '/in/', '/in/x', '/inside', '/'].map(strip), ['/', '/', '/x', '/inside', '/']);
});

t.test('a location that leads back gets the prefix of the route', async (t) => {
  const answer = 'HTTP/1.1 302 Found\r\nLocation: http://web.test/login\r\nContent-Length: 0\r\n\r\n';
  const { ask } = await serving(
    t,
    { locationPrefix: '/out' },
    { answers: [(recorded) => recorded.send(answer)] },
  );
  const text = await ask();
  t.match(text, '\r\nLocation: /out/login\r\n');
  t.equal(text.split('Location:').length, 2);
  for (const [location, seen] of [
    ['/a', '/out/a'],
    ['https://WEB.test:9/a', '/out/a'],
    ['https://other.test/a', 'https://other.test/a'],
    ['//other.test/a', '//other.test/a'],
    ['a', 'a'],
  ] as const)
    t.equal(publicLocation('/out', location, 'web.test:8000'), seen, location);
});

t.test('a client stays with the endpoint that answered first while it is there', async (t) => {
  const answers = [answerEach('from-0'), answerEach('from-1'), answerEach('from-2')];
  const { ask, engine, endpoints } = await serving(t, { sticky: true }, { answers });
  const first = await ask('/', '', 'from-');
  const cookie = /\r\nSet-Cookie: (mesosphere_server_id=[0-9a-f]{10}); Path=\/\r\n/.exec(first)?.[1];
  const [home] = /from-\d/.exec(await ask('/', `Cookie: a=1; ${cookie}; b=2\r\n`, 'from-')) ?? [];
  for (let n = 0; n < 5; n++) {
    const text = await ask('/', `Cookie: ${cookie}\r\n`, 'from-');
    t.match(text, home);
    t.notMatch(text, 'Set-Cookie');
  }
  const left = endpoints.filter((_, n) => home !== `from-${n}`);
  await engine.apply(buildTable(directory(3, left, [{ ...route(), options: { sticky: true } }])));
  t.match(
    await ask('/', `Cookie: ${cookie}\r\n`, 'from-'),
    'Set-Cookie: mesosphere_server_id=',
    'a new home',
  );
});

t.test('the service sees all cookies but the one of the edge', async (t) => {
  const { ask, backends } = await serving(t, { sticky: true });
  await ask('/', 'Cookie: a=1; mesosphere_server_id=0123456789; b=2\r\n');
  await ask('/', 'Cookie: mesosphere_server_id=0123456789\r\n');
  t.match(backends[0]!.text, '\r\nCookie: a=1; b=2\r\n');
  t.equal(backends[0]!.text.split('Cookie').length, 2);
  t.notMatch(backends[0]!.text, 'mesosphere');
});

t.test('a route chooses its own way of balancing', async (t) => {
  const answers = [answerEach('from-0'), answerEach('from-1'), answerEach('from-2')];
  const { ask } = await serving(t, { balance: 'hash' }, { answers });
  const seen = new Set<string | undefined>();
  for (let n = 0; n < 6; n++) seen.add(/from-\d/.exec(await ask('/', '', 'from-'))?.[0]);
  t.equal(seen.size, 1, 'one client, one endpoint');
});

t.test('weight decides between equally long prefixes, and case is ignored where asked', async (t) => {
  const routes = [
    { ...route({ id: 'a', pathPrefix: '/api' }), weight: 1 },
    { ...route({ id: 'b', pathPrefix: '/Api' }), weight: 2, ignoreCase: true },
    { ...route({ id: 'c', pathPrefix: '/longer' }) },
  ] as const;
  const table = buildTable(directory(1, [], [...routes]));
  const found = (path: string) => matchPath(table, 'web.test', path)?.id;
  t.same(['/api', '/API/x', '/longer', '/LONGER'].map(found), ['b', 'b', 'c', undefined]);
});
