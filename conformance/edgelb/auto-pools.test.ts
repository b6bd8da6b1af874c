import t, { type Test } from 'tap';
import { echoApp } from '../labels/label-host.ts';
import { engines } from '../product/engines.ts';
import { openPoolHost } from './pool-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

const edgelb = '/service/edgelb/v2';

/** Labels of one group. */
function group(name: string, labels: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [`edgelb.${name}.${key}`, value]));
}

const expose = { 'edgelb.expose': 'true' };
const site = group('site', { 'frontend.port': '21302', 'frontend.rules': 'hostEq:site.test' });

const apps = {
  '/auto/first': {
    ...expose,
    ...group('plain', { 'frontend.port': '21301', 'frontend.rules': 'pathEnd:.png,pathBeg:/,pathBeg:/long' }),
    ...group('secure', {
      'frontend.port': '21343',
      'frontend.certificates': 'team/site,$AUTOCERT',
      'frontend.rules': 'hostEq:www.test.com|pathBeg:/a',
      'backend.balance': 'leastconn',
      'backend.rewriteHttp.path': '/a:/',
      'backend.rewriteHttp.sticky': '',
    }),
    ...group('nonsecure', { 'frontend.port': '21380', 'frontend.redirectToHttps': 'pathBeg:/open' }),
    ...group('bytes', { 'frontend.port': '21310', 'frontend.protocol': 'TCP', 'backend.portName': 'p1' }),
    ...site,
  },
  '/auto/second': { ...expose, ...site },
  '/auto/words': {
    'edgelb.expose': 'true',
    'edgelb.template': 'team;default',
    'edgelb.delimiter': ';',
    'edgelb.item_delimiter': '+',
    'edgelb.key_delimiter': '=',
    ...group('words', {
      'frontend.port': '21301',
      'frontend.rules': 'hostEq=words.test+pathBeg=/in;hostReg=^re,?g',
    }),
  },
  '/auto/late': { ...expose, ...group('late', { 'frontend.port': '21301' }) },
  '/auto/bad': {
    ...expose,
    ...group('bad', { 'frontend.port': '21303', 'frontend.rules': 'host:a', 'frontend.rule': 'x' }),
  },
  '/auto/default': expose,
};

for (const engine of engines)
  t.test(`pools that labels of apps make with the engine ${engine}`, { skip }, (t) => labelsMake(t, engine));

async function labelsMake(t: Test, engine: string): Promise<void> {
  const edge = await openPoolHost(t, `auto${engine}`, engine);
  const { api, ask } = edge;
  const { key, cert } = await edge.certificate('www.test.com');
  await api.must('POST', '/v1/certificates', { name: 'team.site', certificate: cert, key });
  await api.must('POST', `${edgelb}/poolTemplates`, { name: 'team', haproxy: { stats: { bindPort: 0 } } });
  await Promise.all(
    Object.entries(apps).map(([id, labels]) => edge.deploy(echoApp(id, labels, { ports: [0, 0] }))),
  );
  const appAt = async (port: number, host: string, path = '/') =>
    (await ask(path, { port, host })).echo?.app ?? (await ask(path, { port, host })).status;

  await edge.until('/', { port: 21_301 }, ({ status }) => status === 200);

  await t.test('an app that says nothing more is on port 80 by every path', async (t) => {
    t.equal(await appAt(80, 'any.test', '/x'), '/auto/default');
  });

  await t.test('apps of one port share it, narrow rules first; delimiters are as each says', async (t) => {
    t.equal(await appAt(21_301, 'any.test', '/long/x.png'), '/auto/first');
    t.equal(await appAt(21_301, 'words.test', '/in/x'), '/auto/words');
    t.equal(await appAt(21_301, 'words.test', '/out'), '/auto/first');
    t.equal(await appAt(21_301, 'reg.test'), '/auto/words');
  });

  await t.test('certificates are named as secrets; paths are rewritten, clients stay', async (t) => {
    const answer = await edge.secure('www.test.com', 21_343, '/a/x');
    t.match(answer, /"url":"\/x"/);
    t.match(answer, /DCOS_SERVER_ID_FOR_THE_STICKY=/);
    const subject = await edge.host.shell(
      'openssl s_client -connect 127.0.0.1:21343 -servername www.test.com </dev/null 2>/dev/null | openssl x509 -noout -subject',
    );
    t.match(subject, /www\.test\.com/);
    t.match(await edge.secure('other.test', 21_343, '/a'), /^HTTP\/[0-9.]+ 503/, 'no rule takes it');
  });

  await t.test('a redirect that only is there sends to HTTPS but for its exceptions', async (t) => {
    const { status, headers } = await ask('/x', { port: 21_380, host: 'a.test' });
    t.match([status, headers['location']], [307, 'https://a.test/x']);
    t.equal(await appAt(21_380, 'a.test', '/open'), '/auto/first');
  });

  await t.test('a group of TCP passes bytes on to the port that it names', async (t) => {
    const { echo } = await ask('/', { port: 21_310 });
    t.match(echo, { app: '/auto/first', index: 1 });
    t.notOk('x-forwarded-for' in (echo?.headers ?? {}));
  });

  await t.test('apps of one team that say the same of a group are behind one backend', async (t) => {
    const seen = new Set<string | number>();
    for (let n = 0; n < 12; n++) seen.add(await appAt(21_302, 'site.test'));
    t.same([...seen].toSorted(), ['/auto/first', '/auto/second']);
  });

  await t.test('who conflicts or cannot be is left out alone, and named', async (t) => {
    type Status = { readonly status: string; readonly message: string };
    const { status, message } = await api.must<Status>('GET', `${edgelb}/poolTemplates/default/status`);
    t.equal(status, 'RENDER_ERR');
    t.match(message, /\/auto\/late: \/auto\/first has the same rule on port 21301/);
    t.match(message, /\/auto\/bad: 'host:a' is no rule/);
    t.notMatch(message, /\/auto\/(second|words|default)/);
    type Faults = { readonly faults: readonly { app?: string; label?: string; effect: string }[] };
    const { faults } = await api.must<Faults>('GET', '/v1/routes');
    const told = faults.filter(({ app }) => app?.startsWith('/auto/'));
    t.same(told.map(({ app, label = '', effect }) => `${app} ${label} ${effect}`).toSorted(), [
      '/auto/bad  no route',
      '/auto/bad edgelb.bad.frontend.rule ignored',
      '/auto/late  no route',
    ]);
  });

  await t.test('a template has a pool of its own, whose apps are where it says', async (t) => {
    type Named = { readonly name: string };
    const names = (await api.must<readonly Named[]>('GET', `${edgelb}/pools`)).map(({ name }) => name);
    t.same(names.toSorted(), ['auto-default', 'auto-team']);
    t.match(await api.must('GET', `${edgelb}/pools/auto-team`), {
      haproxy: { backends: [{ name: 'auto_words_words' }] },
    });
  });

  await t.test('a pool goes with its last app', async (t) => {
    await api.must('DELETE', '/v2/apps//auto/words');
    await api.spread();
    t.equal((await api.call('GET', `${edgelb}/pools/auto-team`)).status, 404);
    t.match(await api.must('GET', `${edgelb}/poolTemplates/team/status`), { status: 'NO_TASKS' });
    t.equal(await appAt(21_301, 'reg.test'), '/auto/first');
  });
}
