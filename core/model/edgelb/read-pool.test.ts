import fc from 'fast-check';
import t from 'tap';
import { readPool } from './read-pool.ts';
import { backend, frontend, poolWith, service, validationCases } from './testing/validation-cases.ts';

type Json = Readonly<Record<string, unknown>>;

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

for (const [what, wrong, message, right] of validationCases)
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
