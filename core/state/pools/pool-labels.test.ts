import t from 'tap';
import { Replica } from '../snapshot.ts';
import { testApp } from '../testing/apps.ts';
import { poolsByLabels } from './label-pools.ts';
import { readPoolLabels } from './pool-labels.ts';

const portDefinitions = ['web', 'admin'].map(
  (name) => ({ port: 10_000, protocol: 'tcp', name, labels: {} }) as const,
);

function app(id: string, labels: Readonly<Record<string, string>> = {}) {
  return testApp(id, { labels: { 'edgelb.expose': 'true', ...labels }, portDefinitions });
}

function made(...apps: readonly ReturnType<typeof app>[]) {
  const replica = new Replica();
  const records = apps.map((one) => ({ table: 'apps', key: one.id, value: one }) as const);
  replica.apply({ revision: 1, records });
  return poolsByLabels(replica).get('default');
}

t.test('an app that says no more is on port 80 by every path', async (t) => {
  t.match(readPoolLabels(app('/shop/web')), {
    faults: [],
    services: [
      {
        ...{ templates: ['default'], port: 80, protocol: 'HTTP', rules: [{ pathBeg: '/' }] },
        backend: {
          name: 'shop_web___default__',
          balance: 'roundrobin',
          services: [{ endpoint: { portName: 'web' } }],
        },
      },
    ],
  });
});

t.test('groups are services of their own; values are parted as the delimiters say', async (t) => {
  const { services, faults } = readPoolLabels(
    app('/web', {
      'edgelb.template': 'default;team',
      'edgelb.delimiter': ';',
      'edgelb.item_delimiter': '+',
      'edgelb.key_delimiter': '=',
      'edgelb.public.frontend.rules': 'hostEq=www.test.com+pathBeg=/bridge;pathReg=^/a,b',
      'edgelb.public.frontend.certificates': '$SECRETS/one;$AUTOCERT',
      'edgelb.admin.backend.portName': 'admin',
      'edgelb.admin.frontend.port': '8080',
      'edgelb.admin.backend.rewriteHttp.path': '/admin=/',
      'edgelb.admin.backend.rewriteHttp.sticky': 'true',
      'edgelb.admin.backend.endpoint': 'AGENT_IP',
    }),
  );
  t.same(faults, []);
  t.match(services, [
    {
      ...{ port: 8080, protocol: 'HTTP', templates: ['default', 'team'] },
      backend: {
        rewriteHttp: { path: { fromPath: '/admin', toPath: '/' }, sticky: {} },
        services: [{ endpoint: { portName: 'admin', type: 'AGENT_IP' } }],
      },
    },
    {
      ...{ port: 443, protocol: 'HTTPS', certificates: ['$SECRETS/one', '$AUTOCERT'] },
      rules: [{ hostEq: 'www.test.com', pathBeg: '/bridge' }, { pathReg: '^/a,b' }],
    },
  ]);
});

t.test('labels as the documentation of Edge-LB has them, all of them, are read', async (t) => {
  const { services, faults } = readPoolLabels(
    app('/docs', {
      'edgelb.template': 'default',
      'edgelb.delimiter': ',',
      'edgelb.item_delimiter': '|',
      'edgelb.key_delimiter': ':',
      'edgelb.nonsecure.frontend.redirectToHttps': '',
      'edgelb.secure.frontend.certificates': 'team/site,$AUTOCERT',
      'edgelb.secure.frontend.rules': 'hostEq:www.test.com|pathBeg:/a',
      'edgelb.secure.backend.portName': 'web',
      'edgelb.secure.backend.rewriteHttp.path': '/a:/',
      'edgelb.secure.backend.rewriteHttp.sticky': '',
    }),
  );
  t.same(faults, []);
  t.match(services, [
    { group: 'nonsecure', port: 80, protocol: 'HTTP', redirectToHttps: {}, rules: [{ pathBeg: '/' }] },
    {
      ...{ group: 'secure', port: 443, protocol: 'HTTPS' },
      certificates: ['$SECRETS/team_site', '$AUTOCERT'],
      secrets: [{ secret: 'team/site', file: 'team_site' }],
      backend: { rewriteHttp: { path: { fromPath: '/a', toPath: '/' }, sticky: {} } },
    },
  ]);
});

t.test('labels that nobody knows are named, of apps that are exposed', async (t) => {
  const { ignored } = readPoolLabels(
    app('/web', {
      'edgelb.template': 'default',
      'edgelb.web.frontend.rule': 'pathBeg:/',
      'edgelb.template.backend.balance': 'source',
      'edgelb.web.backend.balance': 'source',
      'edgelb.extra': '1',
    }),
  );
  t.same(ignored.toSorted(), ['edgelb.extra', 'edgelb.template.backend.balance', 'edgelb.web.frontend.rule']);
});

t.test('values of labels have a short and a long form', async (t) => {
  const only = (labels: Readonly<Record<string, string>>) => readPoolLabels(app('/web', labels)).services[0];
  const redirect = (text: string) => only({ 'edgelb.frontend.redirectToHttps': text })?.redirectToHttps;
  t.same(redirect('true'), {});
  t.same(redirect('false'), undefined);
  t.same(redirect('host:a.test|pathBeg:/open,pathBeg:/health'), {
    except: [{ host: 'a.test', pathBeg: '/open' }, { pathBeg: '/health' }],
  });
  const sticky = (text: string) =>
    only({ 'edgelb.backend.rewriteHttp.sticky': text })?.backend['rewriteHttp'];
  t.same(sticky('true'), { sticky: {} });
  t.same(sticky('false'), undefined);
  t.same(sticky('httponly'), { sticky: { customStr: 'httponly' } });
  const services = (text: string) => only({ 'edgelb.backend.endpoint': text })?.backend['services'];
  t.same(services('container_ip'), [
    { marathon: { serviceID: '/web' }, endpoint: { type: 'CONTAINER_IP', portName: 'web' } },
  ]);
  t.same(services('type:ADDRESS|address:db.example|port:8080'), [
    { endpoint: { type: 'ADDRESS', address: 'db.example', port: 8080 } },
  ]);
  t.match(only({ 'edgelb.frontend.protocol': 'tcp', 'edgelb.frontend.port': '5432' }), {
    ...{ protocol: 'TCP', port: 5432, backend: { protocol: 'TCP' } },
  });
});

t.test('apps of one team that say the same of a group share its backend; others conflict', async (t) => {
  const site = { 'edgelb.site.frontend.rules': 'hostEq:site.test' };
  const pool = made(
    app('/shop/one', site),
    app('/shop/two', site),
    app('/shop/zebra', { ...site, 'edgelb.site.backend.balance': 'leastconn' }),
    app('/thief/site', site),
  );
  t.match(pool?.faults, [
    { app: '/shop/zebra', reason: /same rule/ },
    { app: '/thief/site', reason: /\/shop\/one has the same rule/ },
  ]);
  t.match(pool?.definition, {
    haproxy: {
      frontends: [{ linkBackend: { map: [{ hostEq: 'site.test', backend: 'shop_one_site' }] } }],
      backends: [
        { services: [{ marathon: { serviceID: '/shop/one' } }, { marathon: { serviceID: '/shop/two' } }] },
      ],
    },
  });
});

t.test('who had a rule first keeps it, whatever ids and later changes are', async (t) => {
  const replica = new Replica();
  const at = (lastConfigChangeAt: string) => ({
    versionInfo: { lastScalingAt: lastConfigChangeAt, lastConfigChangeAt },
  });
  const old = { ...app('/z'), ...at('2026-01-01T00:00:00.000Z') };
  const changed = { ...app('/z'), ...at('2026-03-01T00:00:00.000Z') };
  const newcomer = { ...app('/a'), ...at('2026-02-01T00:00:00.000Z') };
  const records = [
    { table: 'apps', key: '/z', value: changed } as const,
    { table: 'apps', key: '/a', value: newcomer } as const,
    { table: 'versions', key: '/z@1', value: old } as const,
  ];
  replica.apply({ revision: 1, records });
  t.match(poolsByLabels(replica).get('default')?.faults, [{ app: '/a' }]);
});

t.test('apps of one port share its frontend; narrow rules come first', async (t) => {
  const rules = (text: string) => ({ 'edgelb.frontend.rules': text });
  const pool = made(
    app('/a', rules('pathEnd:.png,pathBeg:/,pathReg:x')),
    app('/b', rules('hostReg:^b,pathBeg:/long')),
    app('/c', rules('hostEq:c.test,hostEq:c.test|pathBeg:/c')),
  );
  t.same(pool?.faults, []);
  t.match(pool?.definition, {
    haproxy: {
      frontends: [
        {
          linkBackend: {
            map: [
              { hostEq: 'c.test', pathBeg: '/c' },
              { hostEq: 'c.test' },
              { hostReg: '^b' },
              { pathBeg: '/long' },
              { pathBeg: '/' },
              { pathReg: 'x' },
              { pathEnd: '.png' },
            ],
          },
        },
      ],
    },
  });
});

for (const [what, labels, reason] of [
  ['a port that is none', { 'edgelb.frontend.port': 'http' }, /frontend\.port 'http'/],
  ['a rule that is none', { 'edgelb.frontend.rules': 'host:a' }, /'host:a' is no rule/],
  ['an unknown protocol', { 'edgelb.backend.protocol': 'SPDY' }, /must be one of/],
  ['a protocol without a port', { 'edgelb.frontend.protocol': 'TCP' }, /frontend\.port .*is missing/],
  [
    'an exception that is none',
    { 'edgelb.frontend.redirectToHttps': 'path:/a' },
    /'path:\/a' is no exception/,
  ],
  ['an endpoint that is none', { 'edgelb.backend.endpoint': 'kind:X' }, /'kind:X' is no endpoint/],
  ['an expression that is none', { 'edgelb.frontend.rules': 'pathReg:(' }, /pathReg/],
] as const)
  t.test(`an app with ${what} is left out alone`, async (t) => {
    const pool = made(app('/good', { 'edgelb.frontend.rules': 'hostEq:good' }), app('/bad', labels));
    t.match(pool?.faults, [{ app: '/bad', reason }]);
    t.match(pool?.definition, { haproxy: { backends: [{ name: 'good___default__' }] } });
  });
