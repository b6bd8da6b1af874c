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
  ['an expression that is none', { 'edgelb.frontend.rules': 'pathReg:(' }, /pathReg/],
] as const)
  t.test(`an app with ${what} is left out alone`, async (t) => {
    const pool = made(app('/good', { 'edgelb.frontend.rules': 'hostEq:good' }), app('/bad', labels));
    t.match(pool?.faults, [{ app: '/bad', reason }]);
    t.match(pool?.definition, { haproxy: { backends: [{ name: 'good___default__' }] } });
  });
