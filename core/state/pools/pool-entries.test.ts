import t from 'tap';
import { anywhereMatcher } from '../../kit/pattern.ts';
import type { App } from '../../model/app.ts';
import { serversOf } from '../../model/servers-of.ts';
import { DirectoryBuilder } from '../directory.ts';
import { Replica } from '../snapshot.ts';
import type { Write } from '../store.ts';
import { versionKey } from '../tables.ts';
import { testAgent } from '../testing/agents.ts';
import { testApp } from '../testing/apps.ts';
import { running, testInstance, testPlacement } from '../testing/instances.ts';

/** On the host's network, on a container network with two addresses, and what is to be left out. */
const onHost = testApp('/shop/web', {
  version: 'v1',
  portDefinitions: [
    { port: 10_000, protocol: 'tcp', name: 'http', labels: {} },
    { port: 10_001, protocol: 'tcp', name: 'admin', labels: {} },
  ],
});
const inContainer = testApp('/shop/api', {
  version: 'v1',
  networks: [{ mode: 'container', name: 'dcos' }],
  container: {
    type: 'MESOS',
    volumes: [],
    portMappings: [
      {
        containerPort: 80,
        hostPort: 0,
        servicePort: 10_002,
        protocol: 'tcp',
        name: 'http',
        labels: {},
        networkNames: [],
      },
    ],
  },
});

/** The Directory of a store with these apps, one instance each, and one pool whose backend has these services. */
function withPool(services: readonly unknown[], apps: readonly App[] = [onHost, inContainer]) {
  const replica = new Replica();
  const builder = new DirectoryBuilder();
  builder.rebuild(replica);
  const commit = (...writes: readonly Write[]) => {
    const records = writes.map((write) => ({
      ...{ table: write.table, key: write.key },
      value: write.kind === 'put' ? write.value : undefined,
    }));
    const change = { revision: replica.revision + 1, records };
    replica.apply(change);
    return builder.update(replica, change);
  };
  const put = (table: Write['table'], key: string, value: unknown): Write => ({
    kind: 'put',
    table,
    key,
    value,
  });
  const definition = {
    name: 'lb',
    haproxy: {
      frontends: [{ bindPort: 0, name: 'in', protocol: 'HTTP', linkBackend: { defaultBackend: 'b' } }],
      backends: [{ name: 'b', protocol: 'HTTP', services }],
    },
  };
  commit(put('pools', 'lb', { kind: 'pool', name: 'lb', definition, ports: { in: 20_000 } }));
  commit(put('agents', 'h1', testAgent('h1')));
  for (const app of apps) {
    const placement = testPlacement(app, 1, { hostPorts: [31_000, 31_001], containerPorts: [80] });
    const addresses =
      app === inContainer ? ['9.0.0.1', '9.0.0.2'].map((ip) => ({ network: 'dcos', ip })) : [];
    commit(
      put('apps', app.id, app),
      put('versions', versionKey(app.id, app.version), app),
      put('placements', placement.instanceId, placement),
      put('instances', placement.instanceId, testInstance(placement, running({ addresses }))),
    );
  }
  const servers = () => {
    const set = builder.directory.serverSets.get('pool:lb:b');
    const like = (pattern: string) => anywhereMatcher(pattern) ?? (() => false);
    return set && serversOf(builder.directory, set, like).map(({ name }) => name);
  };
  return { builder, commit, put, servers };
}

const http = { portName: 'http' };
const container = { type: 'CONTAINER_IP' };

for (const [what, service, expected] of [
  [
    'an app by its id',
    { marathon: { serviceID: '/shop/web' }, endpoint: http },
    ['agentip_100.64.0.1_31000'],
  ],
  [
    'an id without its slash',
    { marathon: { serviceID: 'shop/web' }, endpoint: http },
    ['agentip_100.64.0.1_31000'],
  ],
  [
    'an app with an address of its own',
    { marathon: { serviceID: '/shop/api' }, endpoint: http },
    ['containerip_9.0.0.1_80'],
  ],
  [
    'its agent where that is asked for',
    { marathon: { serviceID: '/shop/api' }, endpoint: { ...http, type: 'AGENT_IP' } },
    ['agentip_100.64.0.1_31000'],
  ],
  [
    'every address of its own',
    { marathon: { serviceID: '/shop/api' }, endpoint: { ...http, ...container } },
    ['containerip_9.0.0.1_80', 'containerip_9.0.0.2_80'],
  ],
  [
    'apps by an expression',
    { marathon: { serviceIDPattern: '^/shop/' }, endpoint: http },
    ['containerip_9.0.0.1_80', 'agentip_100.64.0.1_31000'],
  ],
  ['none where none fits', { marathon: { serviceIDPattern: '^/blog/' }, endpoint: http }, []],
  [
    'all ports',
    { marathon: { serviceID: '/shop/web' }, endpoint: { allPorts: true } },
    ['agentip_100.64.0.1_31000', 'agentip_100.64.0.1_31001'],
  ],
  [
    'a port by its number',
    { marathon: { serviceID: '/shop/api' }, endpoint: { port: 80 } },
    ['containerip_9.0.0.1_80'],
  ],
  [
    'a port that nobody announced',
    { marathon: { serviceID: '/shop/web' }, endpoint: { port: 8500 } },
    ['agentip_100.64.0.1_8500'],
  ],
  [
    'tasks by framework and name',
    { mesos: { frameworkName: 'marathon', taskName: 'web.shop' }, endpoint: http },
    ['agentip_100.64.0.1_31000'],
  ],
  [
    'tasks by their ids',
    { mesos: { frameworkNamePattern: '^mara', taskIDPattern: '^shop_api' }, endpoint: http },
    ['containerip_9.0.0.1_80'],
  ],
  [
    'none of another framework',
    { mesos: { frameworkName: 'kafka', taskNamePattern: '.' }, endpoint: http },
    [],
  ],
  [
    'an address as it is',
    { endpoint: { type: 'ADDRESS', address: 'db.example', port: 5432 } },
    ['address_db.example_5432'],
  ],
] as const)
  t.test(`a service can stand for ${what}`, async (t) => {
    t.same(withPool([service]).servers(), expected);
  });

t.test('a pod gives the ports of the container that is named', async (t) => {
  const endpoint = (name: string, containerPort: number) => ({
    ...{ name, containerPort, hostPort: 0, protocol: ['tcp'] as const, labels: {}, networkNames: [] },
  });
  const part = (name: string, port: number) => ({
    ...{
      name,
      resources: { cpus: 1, mem: 1, disk: 0, gpus: 0 },
      environment: {},
      labels: {},
      volumeMounts: [],
    },
    endpoints: [endpoint(`${name}-port`, port)],
  });
  const pod = testApp('/pod', {
    version: 'v1',
    networks: [{ mode: 'host' }],
    pod: {
      containers: [part('one', 80), part('two', 81)],
      volumes: [],
      executorResources: { cpus: 0, mem: 0, disk: 0, gpus: 0 },
    },
  });
  const service = { marathon: { serviceID: '/pod', containerName: 'two' }, endpoint: { allPorts: true } };
  t.same(withPool([service], [pod]).servers(), ['agentip_100.64.0.1_31001']);
});

t.test('servers follow their apps, and a pool takes all it brought along', async (t) => {
  const { builder, commit, put, servers } = withPool([
    { marathon: { serviceIDPattern: '/shop/.*' }, endpoint: http },
  ]);
  t.equal(servers()?.length, 2);
  t.match(commit({ kind: 'delete', table: 'apps', key: '/shop/api' })?.serverSets, {
    set: [{ key: 'pool:lb:b' }],
  });
  t.same(servers(), ['agentip_100.64.0.1_31000']);
  t.equal(
    commit(put('apps', '/blog', testApp('/blog')))?.serverSets,
    undefined,
    'others are none of its business',
  );
  t.match(builder.directory.listeners.get('pool:lb:in'), {
    owner: 'pool:lb',
    port: 20_000,
    protocol: 'http',
  });
  commit({ kind: 'delete', table: 'pools', key: 'lb' });
  const { routes, listeners, serverSets } = builder.directory;
  t.same([routes.size, listeners.size, serverSets.size], [0, 0, 0]);
});

t.test('weights and backups are kept, other words are told of', async (t) => {
  const address = { type: 'ADDRESS', address: '10.0.0.1', port: 80, miscStr: 'weight 20 backup maxconn 5' };
  const { builder } = withPool([{ endpoint: address }]);
  t.match(builder.directory.serverSets.get('pool:lb:b')?.sources, [
    { host: '10.0.0.1', weight: 20, backup: true },
  ]);
});
