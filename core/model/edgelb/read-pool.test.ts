import fc from 'fast-check';
import t from 'tap';
import { readPool } from './read-pool.ts';

const service = { marathon: { serviceID: '/web' }, endpoint: { portName: 'http' } };
const backend = { name: 'web', protocol: 'HTTP', services: [service] };
const frontend = { bindPort: 80, protocol: 'HTTP', linkBackend: { defaultBackend: 'web' } };

type Json = Readonly<Record<string, unknown>>;

/** A pool that is right, changed in one place. */
function poolWith({ of = {}, in: inFrontend = {}, backendIs = {}, serviceIs = {} }: Record<string, Json>) {
  return {
    name: 'web-lb',
    haproxy: {
      frontends: [{ ...frontend, ...inFrontend }],
      backends: [{ ...backend, services: [{ ...service, ...serviceIs }], ...backendIs }],
    },
    ...of,
  };
}

function faultsOf(value: unknown): readonly string[] {
  const read = readPool(value);
  return read.kind === 'pool' ? [] : read.faults.map(({ path, error }) => `${path} ${error}`);
}

t.test('a small pool is read with the defaults of Edge-LB', async (t) => {
  const read = readPool(poolWith({}));
  t.match(read, {
    kind: 'pool',
    notes: [],
    pool: {
      apiVersion: 'V2',
      namespace: 'dcos-edgelb/pools',
      role: 'slave_public',
      ...{ cpus: 0.9, cpusAdminOverhead: 0.1, mem: 992, memAdminOverhead: 32, disk: 256, count: 1 },
      constraints: 'hostname:UNIQUE',
      ...{ ports: [], secrets: [], environmentVariables: {}, autoCertificate: false, virtualNetworks: [] },
      haproxy: {
        stats: { bindAddress: '0.0.0.0', bindPort: 9090 },
        frontends: [
          { name: 'frontend_0.0.0.0_80', bindAddress: '0.0.0.0', certificates: [], bindModifier: '' },
        ],
        backends: [
          {
            balance: 'roundrobin',
            services: [
              { endpoint: { type: 'AUTO_IP', port: -1, check: { enabled: true }, allPorts: false } },
            ],
          },
        ],
      },
    },
  });
  t.same(faultsOf({ ...poolWith({}), count: null, namespace: null }), []);
});

/** What makes it wrong, where, the words of the message, and the nearest thing that is right. */
const pairs: readonly (readonly [string, Record<string, Json>, string, Record<string, Json>])[] = [
  ['pool name', { of: { name: 'Web' } }, "/name pool name 'Web' must be", { of: { name: 'w' } }],
  ['end of a pool name', { of: { name: 'web-' } }, "/name pool name 'web-'", { of: { name: 'w-b' } }],
  ['missing name', { of: { name: null as never } as Json }, '/name pool name is missing', {}],
  [
    'namespace',
    { of: { namespace: 'a//b' } },
    "/namespace pool namespace 'a//b'",
    { of: { namespace: '/a/b-c' } },
  ],
  ['haproxy', { of: { haproxy: null as never } as Json }, '/haproxy haproxy is missing', {}],
  [
    'port over 65535',
    { in: { bindPort: 65_536 } },
    '/haproxy/frontends/0/bindPort must be',
    { in: { bindPort: 65_535 } },
  ],
  [
    'no bindPort',
    { in: { bindPort: null as never } as Json },
    '/haproxy/frontends/0/bindPort',
    { in: { bindPort: 0 } },
  ],
  [
    'port of the statistics',
    { in: { bindPort: 9090 } },
    '/haproxy/stats/bindPort port 9090 is bound more than once',
    { in: { bindPort: 9091 } },
  ],
  [
    'secret without file',
    { of: { secrets: [{ secret: 's' }] as never } as Json },
    "/secrets/0/file secret 's' has no file",
    { of: { secrets: [{ secret: 's', file: 'f' }] as never } as Json },
  ],
  [
    'file of a secret',
    { of: { secrets: [{ secret: 's', file: '-f' }] as never } as Json },
    '/secrets/0/file',
    { of: { secrets: [{ secret: 's', file: 'f-1_b' }] as never } as Json },
  ],
  [
    'one file of two secrets',
    {
      of: {
        secrets: [
          { secret: 's', file: 'f' },
          { secret: 'x', file: 'f' },
        ] as never,
      } as Json,
    },
    "/secrets secret file 'f' is used more than once",
    {
      of: {
        secrets: [
          { secret: 's', file: 'f' },
          { secret: 's', file: 'g' },
        ] as never,
      } as Json,
    },
  ],
  [
    'certificate',
    { in: { protocol: 'HTTPS', certificates: ['f.pem'] as never } as Json },
    '/haproxy/frontends/0/certificates/0',
    { in: { protocol: 'HTTPS', certificates: ['$SECRETS/f'] as never } as Json },
  ],
  [
    'no certificate',
    { in: { protocol: 'HTTPS' } },
    '/haproxy/frontends/0/certificates frontend',
    { in: { protocol: 'HTTPS', certificates: ['$AUTOCERT'] as never } as Json },
  ],
  [
    'virtual network',
    { of: { virtualNetworks: [{ name: '' }] as never } as Json },
    '/virtualNetworks/0/name',
    { of: { virtualNetworks: [{ name: 'dcos' }] as never } as Json },
  ],
  [
    'missing backend',
    { in: { linkBackend: { defaultBackend: 'wep' } } },
    "/haproxy/frontends/0/linkBackend frontend 'frontend_0.0.0.0_80' refers to missing backend 'wep'",
    {},
  ],
  [
    'unused backend',
    { in: { linkBackend: {} } },
    "/haproxy/backends backends referred to by no frontend: 'web'",
    {},
  ],
  [
    'bindAddress',
    { in: { bindAddress: '*' } },
    '/haproxy/frontends/0/bindAddress',
    { in: { bindAddress: '10.0.0.1' } },
  ],
  [
    'no protocol',
    { in: { protocol: null as never } as Json },
    '/haproxy/frontends/0/protocol',
    { in: { protocol: 'TCP' } },
  ],
  [
    'redirect of TLS',
    { in: { protocol: 'TLS', redirectToHttps: {} } },
    '/haproxy/frontends/0/redirectToHttps',
    { in: { redirectToHttps: {} } },
  ],
  [
    'entry without backend',
    { in: { linkBackend: { defaultBackend: 'web', map: [{ hostEq: 'a' }] } as never } as Json },
    '/haproxy/frontends/0/linkBackend/map/0/backend',
    {},
  ],
  [
    'entry without condition',
    { in: { linkBackend: { map: [{ backend: 'web' }] } as never } as Json },
    '/haproxy/frontends/0/linkBackend/map/0 ',
    { in: { protocol: 'TCP', linkBackend: { map: [{ backend: 'web' }] } as never } as Json },
  ],
  [
    'host in capitals',
    { in: { linkBackend: { map: [{ backend: 'web', hostEq: 'A' }] } as never } as Json },
    '/haproxy/frontends/0/linkBackend/map/0/hostEq',
    { in: { linkBackend: { map: [{ backend: 'web', hostReg: '^\\Sa$' }] } as never } as Json },
  ],
  [
    'expression',
    { in: { linkBackend: { map: [{ backend: 'web', pathReg: '(' }] } as never } as Json },
    '/haproxy/frontends/0/linkBackend/map/0/pathReg',
    { in: { linkBackend: { map: [{ backend: 'web', pathReg: '^/a' }] } as never } as Json },
  ],
  [
    "backend's protocol",
    { backendIs: { protocol: null as never } as Json },
    '/haproxy/backends/0/protocol',
    { backendIs: { protocol: 'TLS' } },
  ],
  [
    'no services',
    { backendIs: { services: [] as never } as Json },
    "/haproxy/backends/0/services backend 'web': no services",
    {},
  ],
  [
    'no selector',
    { serviceIs: { marathon: {} } },
    '/haproxy/backends/0/services/0 ',
    { serviceIs: { marathon: { serviceIDPattern: '^/w' } } },
  ],
  [
    'framework without task',
    { serviceIs: { marathon: {}, mesos: { frameworkName: 'm' } } },
    '/haproxy/backends/0/services/0 ',
    { serviceIs: { marathon: {}, mesos: { frameworkName: 'm', taskNamePattern: 't' } } },
  ],
  [
    'address',
    { serviceIs: { marathon: {}, endpoint: { type: 'ADDRESS', port: 1 } } },
    '/haproxy/backends/0/services/0/endpoint/address',
    { serviceIs: { marathon: {}, endpoint: { type: 'ADDRESS', address: 'a.b', port: 1 } } },
  ],
  [
    'port of an address',
    { serviceIs: { endpoint: { type: 'ADDRESS', address: 'a' } } },
    '/haproxy/backends/0/services/0/endpoint/port',
    {},
  ],
  [
    'no port',
    { serviceIs: { endpoint: {} } },
    '/haproxy/backends/0/services/0/endpoint ',
    { serviceIs: { endpoint: { allPorts: true } } },
  ],
  [
    'two ways to ports',
    { serviceIs: { endpoint: { portName: 'a', port: 1 } } },
    '/haproxy/backends/0/services/0/endpoint ',
    { serviceIs: { endpoint: { port: 0 } } },
  ],
];

for (const [what, wrong, message, right] of pairs)
  t.test(`${what}: the one is refused and named, the other is taken`, async (t) => {
    const faults = faultsOf(poolWith(wrong));
    t.ok(
      faults.some((fault) => fault.startsWith(message)),
      `${message} in ${faults.join('\n')}`,
    );
    t.same(faultsOf(poolWith(right)), []);
  });

t.test('duplicate names are refused, and all faults come together', async (t) => {
  const { haproxy } = poolWith({});
  const twice = { ...haproxy, frontends: [frontend, frontend], backends: [backend, backend] };
  const faults = faultsOf({ name: 'a', haproxy: twice });
  for (const text of [
    'port 80 is bound more than once',
    'duplicate frontend name',
    "duplicate backend name 'web'",
  ])
    t.ok(
      faults.some((fault) => fault.includes(text)),
      text,
    );
});

t.test('a field that nobody knows is told of and does no harm', async (t) => {
  const read = readPool(poolWith({ of: { colour: 'red' } as never, in: { shape: 'round' } as never }));
  t.match(read, {
    kind: 'pool',
    notes: [{ path: '/colour' }, { path: '/haproxy/frontends/0/shape' }],
  });
});

t.test('a pool of the first version is read as one of the second', async (t) => {
  const server = (more: Json) => ({ framework: { value: 'marathon' }, task: { value: '/web' }, ...more });
  const servers = [
    server({ port: { name: 'http' } }),
    server({ task: { value: '^/w', match: 'REGEX' }, port: { all: true }, type: 'CONTAINER_IP' }),
    server({ type: 'VIP', port: { vip: '/site:81' } }),
    { framework: { value: 'kafka', match: 'REGEX' }, task: { value: 'broker' }, port: { name: 'tcp' } },
  ];
  const { services: _, ...rest } = backend;
  const read = readPool({
    apiVersion: 'V1',
    name: 'a',
    haproxy: { frontends: [frontend], backends: [{ ...rest, servers }] },
  });
  t.same(read.kind === 'faults' && read.faults, false);
  t.match(read.kind === 'pool' && read.pool.haproxy.backends[0]?.services, [
    { marathon: { serviceID: '/web' }, endpoint: { portName: 'http', type: 'AUTO_IP' } },
    { marathon: { serviceIDPattern: '^/w' }, endpoint: { allPorts: true, type: 'CONTAINER_IP' } },
    { endpoint: { type: 'ADDRESS', address: 'site.marathon.l4lb.thisdcos.directory', port: 81 } },
    { mesos: { frameworkNamePattern: 'kafka', taskName: 'broker' } },
  ]);
});

t.test('a pool that says no version is of the first when its backends have servers', async (t) => {
  const servers = [{ framework: { value: 'marathon' }, task: { value: 'my-app' }, port: { name: 'web' } }];
  const read = readPool({
    name: 'app-lb',
    haproxy: { frontends: [frontend], backends: [{ name: 'web', protocol: 'HTTP', servers }] },
  });
  t.match(read.kind === 'pool' && read.pool.haproxy.backends[0]?.services, [
    { mesos: { frameworkName: 'marathon', taskName: 'my-app' }, endpoint: { portName: 'web' } },
  ]);
});

t.test('whatever is given, an answer comes, and what was read is read again as it is', async () => {
  const part = fc.oneof(fc.constant(service), fc.constant(frontend), fc.constant(backend), fc.jsonValue());
  const record = fc.record(
    {
      name: fc.oneof(fc.constant('a'), fc.jsonValue()),
      secrets: fc.jsonValue(),
      ports: fc.jsonValue(),
      haproxy: fc.record({
        frontends: fc.array(part, { maxLength: 3 }),
        backends: fc.array(part, { maxLength: 3 }),
      }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(record, fc.jsonValue()), (value) => {
      const read = readPool(value);
      if (read.kind === 'faults') return read.faults.length > 0;
      const again = readPool(read.pool);
      return again.kind === 'pool' && JSON.stringify(again.pool) === JSON.stringify(read.pool);
    }),
    { numRuns: 300 },
  );
});
